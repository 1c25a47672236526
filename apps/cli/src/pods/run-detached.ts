// SPDX-License-Identifier: Apache-2.0
import type { MonitorOptions, PodId } from '@rkt/stage1';
import { parseRestartPolicy } from '../args/restart-policy.ts';
import type { Session } from '../wiring/session.ts';
import { failedOf, stopOthers } from './app-ended.ts';
import { attempt, type Foreground, isOthers, startApps, stdioOf, unhurried } from './run-pod.ts';

/**
 * Starts the apps of a prepared pod, each below a monitor, prints the UUID of the pod and leaves it running. When an app
 * has ended, its monitor has us see to what follows from that: see app-ended.ts.
 */
export async function runDetached(session: Session, id: PodId, foreground: Foreground): Promise<number> {
  const { interactive, remove, spec, restart, checksHealth, onAppFailure } = foreground;
  const runtime = await session.runtime();
  try {
    const monitorOf = await monitorsOf(session, id, { remove, restart, checksHealth, onAppFailure });
    await startApps(session, runtime, {
      ...{ id, stdio: stdioOf(session, interactive), checksHealth, monitorOf },
      ...(spec && { spec }),
    });
    const keepSandbox = parseRestartPolicy(restart).when !== 'no';
    await runtime.detach(id, { keepSandbox });
    // One that failed before the last had been started found nobody to stop.
    if (onAppFailure === 'stop' && !keepSandbox) await stopOthers(session, id, failedOf(await runtime.inspect(id)));
  } catch (error) {
    if (isOthers(error)) throw error;
    using _ = unhurried(session);
    await attempt(session, `cannot take down pod "${id}"`, () => runtime.stopSandbox(id, { force: true }));
    if (remove) await attempt(session, `cannot remove pod "${id}"`, () => runtime.remove(id));
    throw error;
  }
  session.io.stdout.write(`${id}\n`);
  return 0;
}

export type Aftermath = Pick<Foreground, 'remove' | 'restart' | 'checksHealth' | 'onAppFailure'>;

/** What the monitor of each app executes when the app has ended: `rkt release`. */
export async function monitorsOf(
  { io, dataDir }: Session,
  id: PodId,
  { remove, restart, checksHealth, onAppFailure }: Aftermath,
): Promise<(app: string) => Required<Pick<MonitorOptions, 'onExit'>>> {
  const flags = [
    ...(remove ? ['--rm'] : []),
    ...(restart === 'no' ? [] : [`--restart=${restart}`]),
    ...(checksHealth ? [] : ['--no-healthcheck']),
    ...(onAppFailure === 'stop' ? [] : [`--on-app-failure=${onAppFailure}`]),
  ];
  const command = [...(await io.ownCommand()), `--dir=${await dataDir()}`, 'release', ...flags];
  return (app) => ({ onExit: [...command, `--app=${app}`, id] });
}
