// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { attendApps } from '../pods/attend-apps.ts';
import { chosenApp } from '../pods/chosen-app.ts';
import { findPod } from '../pods/find-pods.ts';
import { followSize, stdioOf } from '../pods/run-pod.ts';
import type { Session } from '../wiring/session.ts';

/** The app runs in our foreground, with its status for ours; the pod goes on when it has ended. */
export async function execute(session: Session, { flags, operands }: Arguments): Promise<number> {
  const runtime = await session.runtime();
  const pod = await findPod(runtime, operands[0] ?? '');
  const { name } = chosenApp(pod, flags);
  const stdio = stdioOf(session, flags.boolean('interactive'));
  const running = await runtime.startApp(pod.id, name, { stdio, signal: session.interrupts.signal });
  using _ = stdio === 'tty' ? followSize(session, running) : undefined;
  return await attendApps(session, [{ name, running }], {
    onAppFailure: 'continue',
    stop: (app, options) => runtime.stopApp(pod.id, app, options),
  });
}
