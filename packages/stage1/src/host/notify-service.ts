// SPDX-License-Identifier: Apache-2.0
import { loadSyscalls } from './syscalls.ts';

/** What the protocol of sd_notify(3) is told: `READY`, `MAINPID`, `STOPPING`, ... */
export type ServiceState = Readonly<Record<string, string | number>>;

/**
 * Tells the service manager how things stand.
 *
 * @param socket what it has put into NOTIFY_SOCKET: a path, or `@` and an abstract name
 * @throws SystemCallError when nobody listens there; Stage1Error ERR_RKT_STAGE1_SYSCALLS_UNAVAILABLE
 */
export async function notifyService(socket: string, state: ServiceState): Promise<void> {
  const text = Object.entries(state)
    .map(([name, value]) => `${name}=${String(value).replaceAll('\n', ' ')}\n`)
    .join('');
  (await loadSyscalls()).sendDatagram(socket, Buffer.from(text));
}
