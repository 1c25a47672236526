// SPDX-License-Identifier: Apache-2.0
import { isIP } from 'node:net';
import { Stage1Error } from '../error.ts';
import { quote } from '../quote.ts';
import { summariseResult } from './cni-result.ts';
import type { Attachment, PortForward } from './types.ts';

/** Of the host, for one pod. */
export const maxPorts = 4096;

/**
 * Refuses ports there are not, and two that would take the same port of the host: of two rules the second is never
 * reached.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_NETWORK_REQUEST_INVALID
 */
export function checkPorts(ports: readonly PortForward[]): void {
  if (ports.length > maxPorts) throw invalid(`expected at most ${maxPorts} forwarded ports, got ${ports.length}`);
  const seen = new Map<string, PortForward[]>();
  for (const port of ports) {
    const { hostPort, podPort, hostIP, protocol } = port;
    if (!(isPort(hostPort) || hostPort === 0) || !isPort(podPort)) {
      throw invalid(`expected ports from 1 to 65535, got host port ${hostPort} and pod port ${podPort}`);
    }
    if (hostIP !== undefined && isIP(hostIP) === 0) throw invalid(`host address ${quote(hostIP)} is no IP address`);
    if (hostPort === 0) continue;
    const key = `${hostPort}/${protocol}`;
    const others = seen.get(key) ?? [];
    if (others.some((other) => sharesAddress(other, port))) throw invalid(`host port ${key} is asked for twice`);
    seen.set(key, [...others, port]);
  }
}

/** True when a packet may be for both. No address is every one; a wildcard is every one of its family. */
export function sharesAddress(a: Pick<PortForward, 'hostIP'>, b: Pick<PortForward, 'hostIP'>): boolean {
  if (a.hostIP === undefined || b.hostIP === undefined || a.hostIP === b.hostIP) return true;
  if (isIPv6(a.hostIP) !== isIPv6(b.hostIP)) return false;
  return isWildcard(a.hostIP) || isWildcard(b.hostIP);
}

/** Whether the port is to be reached at addresses of the family. */
export function isOfFamily({ hostIP }: Pick<PortForward, 'hostIP'>, family: 4 | 6): boolean {
  return hostIP === undefined || isIPv6(hostIP) === (family === 6);
}

/**
 * The portmap plugin passes silently over a port whose host address is of a family the pod has no address of.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_PORT_FORWARD_IMPOSSIBLE
 */
export function requireForwarded({ network, ports, result }: Attachment): void {
  const { ip, ip6 } = summariseResult(result ?? {});
  for (const port of ports) {
    if ((ip !== undefined && isOfFamily(port, 4)) || (ip6 !== undefined && isOfFamily(port, 6))) continue;
    const where = `port ${port.hostPort} of ${port.hostIP ?? 'the host'}`;
    const message = `cannot forward ${where}: network ${quote(network.name)} gives the pod no such address`;
    throw new Stage1Error('ERR_RKT_STAGE1_PORT_FORWARD_IMPOSSIBLE', message);
  }
}

function isIPv6(address: string): boolean {
  return address.includes(':');
}

function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || /^[0:]+$/.test(address);
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

function invalid(message: string): Stage1Error {
  return new Stage1Error('ERR_RKT_STAGE1_NETWORK_REQUEST_INVALID', message);
}
