// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { findPod, podArguments } from '../pods/find-pods.ts';
import { podJson } from '../pods/pod-json.ts';
import { statusLines } from '../pods/pod-text.ts';
import { jsonFormat, renderJson } from '../render/json.ts';
import { oneLine } from '../render/quote.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, args: Arguments): Promise<number> {
  const [prefix = ''] = podArguments(args);
  const pod = await findPod(await session.runtime(), prefix);
  const format = jsonFormat(args.flags.text('format'));
  const text = statusLines(pod)
    .map((line) => `${oneLine(line)}\n`)
    .join('');
  session.io.stdout.write(format === undefined ? text : renderJson(podJson(pod), format));
  return 0;
}
