// SPDX-License-Identifier: Apache-2.0
import { isIP } from 'node:net';
import type { ExposedPort } from '@rkt/appc';
import { parsePort } from './port-flag.ts';

const FORM = 'it must be [[HOSTIP:][HOSTPORT]:]PORT[/tcp|/udp|/sctp]';
const PROTOCOLS: ReadonlySet<string> = new Set(['tcp', 'udp', 'sctp']);

/**
 * Reads a port as docker has it: `[[HOSTIP:][HOSTPORT]:]PORT[/PROTOCOL]`, each port also a range `8000-8010` of the same
 * length. An IPv6 address stands in brackets. Without a port of the host (0), one is chosen when the pod is run. Throws an
 * Error for what is none.
 */
export function parsePublishFlag(text: string): ExposedPort {
  const [, hostIP, host = '', pod = '', protocol = 'tcp'] =
    /^(?:(?:(\[[^\]]*\]|[^:[\]]*):)?([\d-]*):)?([\d-]+)(?:\/([^/]*))?$/.exec(text) ?? [];
  if (pod === '' || hostIP === '') throw new Error(FORM);
  if (!PROTOCOLS.has(protocol)) throw new Error('the protocol must be tcp, udp or sctp');
  const to = parseRange(pod);
  const from = host === '' || host === '0' ? undefined : parseRange(host);
  if (from !== undefined && from.count !== to.count) throw new Error('both ranges of ports must be of the same length');
  return {
    name: `${to.first}-${protocol}`,
    hostPort: from?.first ?? 0,
    ...(hostIP === undefined ? {} : { hostIP: parseAddress(hostIP) }),
    podPort: { name: `${to.first}-${protocol}`, port: to.first, protocol, count: to.count, socketActivated: false },
  };
}

function parseRange(text: string): { readonly first: number; readonly count: number } {
  const [first = '', last = first, more] = text.split('-');
  if (more !== undefined) throw new Error(FORM);
  const range = { first: parsePort(first), last: parsePort(last) };
  if (range.last < range.first) throw new Error('a range of ports must end after it begins');
  return { first: range.first, count: range.last - range.first + 1 };
}

function parseAddress(text: string): string {
  const address = text.startsWith('[') ? text.slice(1, -1) : text;
  if (isIP(address) === 0) throw new Error('the host address must be an IP address');
  return address;
}
