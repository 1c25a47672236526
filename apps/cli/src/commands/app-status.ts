// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { findApp } from '../pods/find-pods.ts';
import { podAppJson } from '../pods/pod-json.ts';
import { appStatusLines } from '../pods/pod-text.ts';
import { jsonFormat, renderJson } from '../render/json.ts';
import { oneLine } from '../render/quote.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, args: Arguments): Promise<number> {
  const { pod, app } = await findApp(await session.runtime(), args);
  const format = jsonFormat(args.flags.text('format'));
  const text = appStatusLines(pod, app)
    .map((line) => `${oneLine(line)}\n`)
    .join('');
  session.io.stdout.write(format === undefined ? text : renderJson(podAppJson(pod, app), format));
  return 0;
}
