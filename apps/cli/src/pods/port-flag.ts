// SPDX-License-Identifier: Apache-2.0
import { isIP } from 'node:net';
import type { ExposedPort } from '@rkt/appc';

/** What `--port` asks for. */
export type PortRequest = Omit<ExposedPort, 'podPort'>;

const NAME = /^[a-z0-9]+(-+[a-z0-9]+)*$/;

/** Reads `NAME:[HOSTIP:]HOSTPORT`; an IPv6 address stands in brackets. Throws an Error for what is none. */
export function parsePortFlag(text: string): PortRequest {
  const [, name = '', hostIP, digits = ''] = /^([^:]*):(?:(\[[^\]]*\]|[^:]*):)?([^:]*)$/.exec(text) ?? [];
  if (!NAME.test(name)) throw new Error('it must be NAME:[HOSTIP:]HOSTPORT');
  const hostPort = parsePort(digits);
  if (hostIP === undefined) return { name, hostPort };
  const address = hostIP.startsWith('[') ? hostIP.slice(1, -1) : hostIP;
  if (isIP(address) === 0) throw new Error('the host address must be an IP address');
  return { name, hostPort, hostIP: address };
}

/** Throws an Error for what is no port. */
export function parsePort(digits: string): number {
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  if (port < 1 || port > 65_535) throw new Error('a port must be a number from 1 to 65535');
  return port;
}

/** The port that a name such as `6379-tcp` speaks of, for images that do not declare it. */
export function portOfName(name: string): { readonly port: number; readonly protocol: string } | undefined {
  const [, digits = '', protocol = ''] = /^(\d{1,5})-(tcp|udp|sctp)$/.exec(name) ?? [];
  const port = Number(digits);
  return port >= 1 && port <= 65_535 ? { port, protocol } : undefined;
}
