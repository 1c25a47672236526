// SPDX-License-Identifier: Apache-2.0
import { isIP } from 'node:net';
import { Stage1Error } from '../error.ts';
import { quote } from '../quote.ts';
import type { NetworkRequest } from '../runtime.ts';
import { summariseResult } from './cni-result.ts';
import { masquerades, type NetworkConfig, type PluginConfig } from './network-config.ts';
import type { Attachment, PortForward } from './types.ts';

const maxInterfaces = 32;
const maxPorts = 4096;
/** NAME=value pairs; what a CNI_ARGS variable can carry. */
const argsPattern = /^[A-Za-z0-9_]{1,64}=[^;\0\n]{0,512}(;[A-Za-z0-9_]{1,64}=[^;\0\n]{0,512}){0,31}$/;

/** True for `--net=host`, the only network of a pod that has no namespace of its own. */
export function wantsHost(requests: readonly NetworkRequest[]): boolean {
  return alone(requests, 'host');
}

/**
 * The interfaces that requests and ports come to. Ports are forwarded to the first masquerading network, else the last.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_NETWORK_NOT_FOUND, ERR_RKT_STAGE1_NETWORK_REQUEST_INVALID,
 *   ERR_RKT_STAGE1_PORT_FORWARD_IMPOSSIBLE
 */
export function planAttachments(
  requests: readonly NetworkRequest[],
  ports: readonly PortForward[],
  known: ReadonlyMap<string, NetworkConfig>,
): readonly Attachment[] {
  checkPorts(ports);
  const wanted = alone(requests, 'none') ? [] : expandAll(requests, known);
  if (wanted.length > maxInterfaces) throw invalid(`expected at most ${maxInterfaces} networks, got ${wanted.length}`);
  const networks = wanted.map((request) => ({ network: lookUp(request.name, known), args: checkedArgs(request) }));
  const forwarding = forwardingIndex(networks.map(({ network }) => network));
  if (ports.length > 0 && forwarding < 0) {
    const message = 'cannot forward ports to a pod without a network';
    throw new Stage1Error('ERR_RKT_STAGE1_PORT_FORWARD_IMPOSSIBLE', message);
  }
  const forwards = ports.map(withoutWildcard);
  return networks.map(({ network, args }, index) => ({
    ifName: `eth${index}`,
    network: index === forwarding && ports.length > 0 ? withPortmap(network) : network,
    ...(args !== undefined && { args }),
    ports: index === forwarding ? forwards : [],
  }));
}

export function takesPortMappings(plugin: PluginConfig): boolean {
  const capabilities = plugin['capabilities'];
  return (
    typeof capabilities === 'object' && capabilities !== null && Reflect.get(capabilities, 'portMappings') === true
  );
}

/** The wildcard address says what no address says; as the destination of a packet it would match none. */
function withoutWildcard({ hostIP, ...port }: PortForward): PortForward {
  return hostIP === undefined || hostIP === '0.0.0.0' ? port : { ...port, hostIP };
}

/** snat: so that the host reaches the port on its own addresses and 127.0.0.1, and the pod reaches itself. */
function withPortmap(network: NetworkConfig): NetworkConfig {
  if (network.plugins.some(takesPortMappings)) return network;
  const portmap = { type: 'portmap', capabilities: { portMappings: true }, snat: true };
  return { ...network, plugins: [...network.plugins, portmap] };
}

function forwardingIndex(networks: readonly NetworkConfig[]): number {
  const index = networks.findIndex(masquerades);
  return index >= 0 ? index : networks.length - 1;
}

function expandAll(
  requests: readonly NetworkRequest[],
  known: ReadonlyMap<string, NetworkConfig>,
): readonly NetworkRequest[] {
  if (!requests.some(({ name }) => name === 'all')) return requests;
  const stated = new Map(requests.map((request) => [request.name, request]));
  const names = [...known.keys()].filter((name) => name !== 'default-restricted' || stated.has(name));
  return names.map((name) => stated.get(name) ?? { name });
}

/** `host` and `none` say what the whole pod has; together with a network they contradict themselves. */
function alone(requests: readonly NetworkRequest[], name: 'host' | 'none'): boolean {
  if (!requests.some((request) => request.name === name)) return false;
  if (requests.length === 1) return true;
  throw invalid(`network "${name}" excludes every other network`);
}

/**
 * The portmap plugin passes silently over a port whose host address is of a family the pod has no address of.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_PORT_FORWARD_IMPOSSIBLE
 */
export function requireForwarded({ network, ports, result }: Attachment): void {
  const { ip, ip6 } = summariseResult(result ?? {});
  for (const { hostIP, hostPort } of ports) {
    const reachable = hostIP?.includes(':') ? ip6 : (ip ?? ip6);
    if (reachable !== undefined) continue;
    const message = `cannot forward port ${hostPort} of ${hostIP ?? 'the host'}: network ${quote(network.name)} gives no such address`;
    throw new Stage1Error('ERR_RKT_STAGE1_PORT_FORWARD_IMPOSSIBLE', message);
  }
}

function lookUp(name: string, known: ReadonlyMap<string, NetworkConfig>): NetworkConfig {
  const network = known.get(name);
  if (network) return network;
  const names = ['host', 'none', ...known.keys()].join(', ');
  throw new Stage1Error('ERR_RKT_STAGE1_NETWORK_NOT_FOUND', `network ${quote(name)} not found; known: ${names}`);
}

function checkedArgs({ name, args }: NetworkRequest): string | undefined {
  if (args === undefined || args === '') return undefined;
  if (argsPattern.test(args)) return args;
  throw invalid(`arguments ${quote(args)} of network ${quote(name)} are not NAME=value pairs separated by ";"`);
}

function checkPorts(ports: readonly PortForward[]): void {
  if (ports.length > maxPorts) throw invalid(`expected at most ${maxPorts} forwarded ports, got ${ports.length}`);
  for (const { hostPort, podPort, hostIP } of ports) {
    if (!isPort(hostPort) || !isPort(podPort)) {
      throw invalid(`expected ports from 1 to 65535, got host port ${hostPort} and pod port ${podPort}`);
    }
    if (hostIP !== undefined && isIP(hostIP) === 0) throw invalid(`host address ${quote(hostIP)} is no IP address`);
  }
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

function invalid(message: string): Stage1Error {
  return new Stage1Error('ERR_RKT_STAGE1_NETWORK_REQUEST_INVALID', message);
}
