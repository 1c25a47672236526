// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { usageError } from '../errors.ts';
import { attendApps } from '../pods/attend-apps.ts';
import { findApp } from '../pods/find-pods.ts';
import { healthCommand } from '../pods/health-command.ts';
import { monitorsOf } from '../pods/run-detached.ts';
import { followSize, stdioOf } from '../pods/run-pod.ts';
import type { Session } from '../wiring/session.ts';

/** The app runs in our foreground, with its status for ours, or below a monitor; the pod goes on when it has ended. */
export async function execute(session: Session, args: Arguments): Promise<number> {
  const { flags } = args;
  const runtime = await session.runtime();
  const { pod, app } = await findApp(runtime, args);
  const { name } = app;
  const stdio = stdioOf(session, flags.boolean('interactive'));
  const checksHealth = !flags.boolean('no-healthcheck');
  const healthCheck = checksHealth ? await healthCommand(session, pod.id, name) : undefined;
  const checked = healthCheck && { healthCheck };
  const restart = flags.text('restart') ?? 'no';
  if (flags.boolean('detach')) {
    const aftermath = { remove: false, restart, checksHealth, onAppFailure: 'continue' } as const;
    const monitor = (await monitorsOf(session, pod.id, aftermath))(name);
    await runtime.startApp(pod.id, name, { stdio, monitor, ...checked, signal: session.interrupts.signal });
    session.io.stdout.write(`${name}\n`);
    return 0;
  }
  if (restart !== 'no') throw usageError('--restart has no effect without --detach');
  const running = await runtime.startApp(pod.id, name, { stdio, ...checked, signal: session.interrupts.signal });
  using _ = stdio === 'tty' ? followSize(session, running) : undefined;
  return await attendApps(session, [{ name, running }], {
    onAppFailure: 'continue',
    stop: (each, options) => runtime.stopApp(pod.id, each, options),
  });
}
