// SPDX-License-Identifier: Apache-2.0
import { isLive } from '@rkt/stage1';
import type { Arguments } from '../args/command.ts';
import { formatDuration, parseDuration } from '../args/duration.ts';
import { CliError } from '../errors.ts';
import { findPod, podArguments } from '../pods/find-pods.ts';
import { isExited } from '../pods/pod-states.ts';
import { sayLater } from '../pods/say-later.ts';
import { stopPod } from '../pods/stop-pod.ts';
import { openReport } from '../render/report.ts';
import { reportEach } from '../render/report-each.ts';
import type { Session } from '../wiring/session.ts';
import type { HandledPod } from './reports.ts';

export async function execute(session: Session, args: Arguments): Promise<number> {
  const prefixes = podArguments(args);
  const force = args.flags.boolean('force');
  const timeoutMs = parseDuration(args.flags.text('timeout') ?? '10s');
  using report = openReport<HandledPod>(session.io, args.flags);
  const runtime = await session.runtime();
  let failed = 0;
  const status = await reportEach(session, prefixes, async (prefix) => {
    failed += 1;
    const pod = await findPod(runtime, prefix);
    const { id, state } = pod;
    if (isExited(pod) || state === 'garbage' || state === 'deleting') {
      report.add({ name: id, result: 'already-stopped' }, `pod "${id}" is already stopped`);
    } else if (isLive(pod)) {
      using _ = sayLater(session, `waiting for pod "${id}" to end (it is killed after ${formatDuration(timeoutMs)})`);
      await stopPod(runtime, id, { force, timeoutMs, signal: session.interrupts.signal });
      report.add({ name: id, result: 'stopped' }, `"${id}"`);
    } else {
      throw new CliError('ERR_RKT_CLI_POD_STATE', `pod "${id}" is not running: its state is "${state}"`);
    }
    failed -= 1;
  });
  if (status !== 0) session.say(`failed to stop ${failed} pod(s)`);
  return status;
}
