// SPDX-License-Identifier: Apache-2.0
import { isLive } from '@rkt/stage1';
import type { Arguments } from '../args/command.ts';
import { ENDED_FIRST, findPod, NONE_FIRST, podArguments } from '../pods/find-pods.ts';
import { isPodGone } from '../pods/pod-gone.ts';
import { stopPod } from '../pods/stop-pod.ts';
import { openReport } from '../render/report.ts';
import { reportEach } from '../render/report-each.ts';
import type { Session } from '../wiring/session.ts';
import type { HandledPod } from './reports.ts';

export async function execute(session: Session, args: Arguments): Promise<number> {
  const prefixes = podArguments(args);
  const force = args.flags.boolean('force');
  using report = openReport<HandledPod>(session.io, args.flags);
  const runtime = await session.runtime();
  const { signal } = session.interrupts;
  const status = await reportEach(session, prefixes, async (prefix) => {
    const pod = await findPod(runtime, prefix, force ? NONE_FIRST : ENDED_FIRST);
    const { id } = pod;
    const isStopped = force && isLive(pod);
    if (isStopped) await stopPod(runtime, id, { force, signal });
    try {
      await runtime.remove(id, { signal });
    } catch (error) {
      // One that was run with `--rm` goes by itself.
      if (!isStopped || !isPodGone(error)) throw error;
    }
    report.add({ name: id, result: 'removed' }, `"${id}"`);
  });
  if (status !== 0) session.say('failed to remove one or more pods');
  return status;
}
