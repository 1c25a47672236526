// SPDX-License-Identifier: Apache-2.0
import type { Listeners } from '@rkt/stage1';
import { reasonOf, usageError } from '../errors.ts';
import type { Session } from '../wiring/session.ts';

const FIRST_FD = 3;
const MAX_FDS = 256;

/**
 * The sockets that systemd, or whoever does as it does, has handed to us (sd_listen_fds(3)): those of a process that
 * started us are not ours.
 * @throws {CliError} ERR_RKT_CLI_USAGE
 */
export function listenersOf({ env, pid }: Session['io'], apps: number): Listeners | undefined {
  const { LISTEN_PID: of, LISTEN_FDS: count, LISTEN_FDNAMES: names } = env;
  if (of !== String(pid) || count === undefined || !/^[1-9]\d{0,2}$/.test(count) || Number(count) > MAX_FDS)
    return undefined;
  if (apps > 1) throw usageError(`sockets of systemd are for a pod of one app: the pod has ${apps} apps`);
  const fds = Array.from({ length: Number(count) }, (_, index) => FIRST_FD + index);
  return { fds, ...(names !== undefined && { names: names.split(':') }) };
}

/** Tells the service manager, if it wants to know (sd_notify(3)), that every app of the pod has been started. */
export async function tellReady(session: Session): Promise<void> {
  await tell(session, { READY: 1, MAINPID: session.io.pid });
}

/** The same of what is being taken down. */
export async function tellStopping(session: Session): Promise<void> {
  await tell(session, { STOPPING: 1 });
}

async function tell(session: Session, state: Readonly<Record<string, number>>): Promise<void> {
  const socket = session.io.env['NOTIFY_SOCKET'];
  if (socket === undefined || !/^[/@]./.test(socket)) return;
  try {
    await session.libraries.notifyService(socket, state);
  } catch (error) {
    // The pod runs all the same; a service that is not ready in time is what systemd tells.
    session.say(`cannot notify the service manager: ${reasonOf(error)}`);
  }
}
