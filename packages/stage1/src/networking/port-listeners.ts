// SPDX-License-Identifier: Apache-2.0
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { allPids } from '../host/process-tree.ts';
import { quote } from '../quote.ts';
import { isOfFamily } from './port-requests.ts';
import type { PortForward } from './types.ts';

/** Takes a port for a moment, in each family it is asked for. Throws the system's error. SCTP is not looked at. */
export async function tryToListen(port: PortForward): Promise<void> {
  for (const family of [4, 6] as const) {
    if (!isOfFamily(port, family)) continue;
    await bind(port, port.hostIP ?? (family === 4 ? '0.0.0.0' : '::')).catch((error: unknown) => {
      // A host without IPv6 has nobody who listens there.
      const isWithout = port.hostIP === undefined && family === 6 && codeOf(error) !== 'EADDRINUSE';
      if (!isWithout) throw error;
    });
  }
}

async function bind({ protocol, hostPort }: PortForward, host: string): Promise<void> {
  if (protocol === 'tcp') await bindTcp(host, hostPort);
  if (protocol === 'udp') await bindUdp(host, hostPort);
}

async function bindTcp(host: string, port: number): Promise<void> {
  const server = createServer();
  server.listen({ host, port, exclusive: true, ipv6Only: true });
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}

async function bindUdp(address: string, port: number): Promise<void> {
  const isIPv6 = address.includes(':');
  const socket = createSocket({ type: isIPv6 ? 'udp6' : 'udp4', ipv6Only: isIPv6 });
  socket.bind({ address, port, exclusive: true });
  await once(socket, 'listening');
  socket.close();
  await once(socket, 'close');
}

function codeOf(error: unknown): unknown {
  return error instanceof Error ? Reflect.get(error, 'code') : undefined;
}

/** `"nginx" (process 812)`: whose socket has the port, as far as can be seen; undefined when that is not at all. */
export function listenerOf({ protocol, hostPort }: PortForward): string | undefined {
  const inodes = new Set([protocol, `${protocol}6`].flatMap((table) => socketsAt(table, hostPort)));
  if (inodes.size === 0) return undefined;
  for (const pid of orElse(allPids, [])) {
    if (!namesIn(`/proc/${pid}/fd`).some((fd) => inodes.has(linkOf(`/proc/${pid}/fd/${fd}`)))) continue;
    return `${quote(textOf(`/proc/${pid}/comm`).trim(), 32)} (process ${pid})`;
  }
  return undefined;
}

/** TCP_LISTEN, and what a UDP socket that is bound and not connected is in. */
const waiting: Readonly<Record<string, string>> = { tcp: '0A', udp: '07' };

/** proc(5), /proc/net/tcp: local address in hexadecimal, state, and the socket's inode in the tenth column. */
function socketsAt(table: string, port: number): readonly string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return textOf(`/proc/net/${table}`)
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => local?.endsWith(`:${hex}`) && state === waiting[table.slice(0, 3)])
    .map((columns) => `socket:[${columns[9]}]`);
}

/** Processes come and go while they are looked at, and tables are not in every kernel. */
function namesIn(dir: string): readonly string[] {
  return orElse(() => readdirSync(dir), []);
}

function linkOf(path: string): string {
  return orElse(() => readlinkSync(path), '');
}

function textOf(path: string): string {
  return orElse(() => readFileSync(path, 'utf8'), '');
}

function orElse<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
