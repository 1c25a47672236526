// SPDX-License-Identifier: Apache-2.0

import type { Pod } from '@rkt/stage1';
import type { Arguments } from '../args/command.ts';
import type { FlagValues } from '../args/flag.ts';
import { parsePatience } from '../args/patience.ts';
import { awaitPod } from '../pods/await-pod.ts';
import { findPod, podArguments } from '../pods/find-pods.ts';
import { podJson } from '../pods/pod-json.ts';
import { statusLines } from '../pods/pod-text.ts';
import { jsonFormat, renderJson } from '../render/json.ts';
import { oneLine } from '../render/quote.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, args: Arguments): Promise<number> {
  const [prefix = ''] = podArguments(args);
  const pod = await awaited(session, args.flags, await findPod(await session.runtime(), prefix));
  const format = jsonFormat(args.flags.text('format'));
  const text = statusLines(pod)
    .map((line) => `${oneLine(line)}\n`)
    .join('');
  session.io.stdout.write(format === undefined ? text : renderJson(podJson(pod), format));
  return 0;
}

async function awaited(session: Session, flags: FlagValues, pod: Pod): Promise<Pod> {
  const ready = parsePatience(flags.text('wait-ready') ?? 'false');
  const exited = parsePatience(flags.text('wait') ?? 'false');
  const started = ready === undefined ? pod : await awaitPod(session, pod, { until: 'ready', timeoutMs: ready });
  return exited === undefined ? started : awaitPod(session, started, { until: 'exited', timeoutMs: exited });
}
