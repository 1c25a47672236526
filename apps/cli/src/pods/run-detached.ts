// SPDX-License-Identifier: Apache-2.0
import type { PodId } from '@rkt/stage1';
import type { Session } from '../wiring/session.ts';
import { attempt, type Foreground, isOthers, startApps, stdioOf, unhurried } from './run-pod.ts';

/**
 * Starts the apps of a prepared pod, each below a monitor, prints the UUID of the pod and leaves it running. When an app
 * has ended, its monitor has us release what the pod has of the host.
 */
export async function runDetached(
  session: Session,
  id: PodId,
  { interactive, remove }: Pick<Foreground, 'interactive' | 'remove'>,
): Promise<number> {
  const runtime = await session.runtime();
  try {
    const monitor = { onExit: await releaseCommand(session, id, remove) };
    await startApps(session, runtime, { id, stdio: stdioOf(session, interactive), monitor });
    await runtime.detach(id);
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

/** What the monitor of an app executes when the app has ended. */
async function releaseCommand({ io, dataDir }: Session, id: PodId, remove: boolean): Promise<readonly string[]> {
  return [...(await io.ownCommand()), `--dir=${await dataDir()}`, 'release', ...(remove ? ['--rm'] : []), id];
}
