// SPDX-License-Identifier: Apache-2.0
import type { PodId } from '@rkt/stage1';
import { CliError } from '../errors.ts';
import type { Session } from '../wiring/session.ts';
import { attempt, type Foreground, isOthers, stdioOf, unhurried } from './run-pod.ts';

/**
 * Starts the apps of a prepared pod, each below a monitor, prints the UUID of the pod and leaves it running. When an app
 * has ended, its monitor has us release what the pod has of the host.
 */
export async function runDetached(session: Session, id: PodId, { interactive, remove }: Foreground): Promise<number> {
  const runtime = await session.runtime();
  try {
    await startApps(session, id, { interactive, remove });
    await runtime.detach(id);
  } catch (error) {
    using _ = unhurried(session);
    await attempt(session, `cannot take down pod "${id}"`, () => runtime.stopSandbox(id, { force: true }));
    if (remove && !isOthers(error)) await attempt(session, `cannot remove pod "${id}"`, () => runtime.remove(id));
    throw error;
  }
  session.io.stdout.write(`${id}\n`);
  return 0;
}

async function startApps(session: Session, id: PodId, { interactive, remove }: Foreground): Promise<void> {
  const runtime = await session.runtime();
  const { signal } = session.interrupts;
  const { manifest } = await runtime.createSandbox(id, { signal });
  const names = (manifest?.apps ?? []).map(({ name }) => name);
  if (names.length === 0) throw new CliError('ERR_RKT_CLI_POD_STATE', `pod "${id}" has no app`);
  const release = ['release', ...(remove ? ['--rm'] : []), id];
  const onExit = [...(await session.io.ownCommand()), `--dir=${await session.dataDir()}`, ...release];
  const stdio = stdioOf(session, interactive);
  for (const name of names) await runtime.addApp(id, name, { signal });
  for (const name of names) await runtime.startApp(id, name, { stdio, monitor: { onExit }, signal });
}
