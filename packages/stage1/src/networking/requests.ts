// SPDX-License-Identifier: Apache-2.0
import { Stage1Error } from '../error.ts';
import { quote } from '../quote.ts';
import type { NetworkRequest } from '../runtime.ts';
import { masquerades, type NetworkConfig, type PluginConfig } from './network-config.ts';
import { checkPorts } from './port-requests.ts';
import type { Attachment, PortForward } from './types.ts';

const maxInterfaces = 32;
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
  return networks.map(({ network, args }, index) => ({
    ifName: `eth${index}`,
    network: index === forwarding && ports.length > 0 ? withPortmap(network) : network,
    ...(args !== undefined && { args }),
    ports: index === forwarding ? ports : [],
  }));
}

export function takesPortMappings(plugin: PluginConfig): boolean {
  const capabilities = plugin['capabilities'];
  return (
    typeof capabilities === 'object' && capabilities !== null && Reflect.get(capabilities, 'portMappings') === true
  );
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
  const all = requests.find(({ name }) => name === 'all');
  if (all === undefined) return requests;
  refuseArgs(all);
  const stated = new Map(requests.map((request) => [request.name, request]));
  const names = [...known.keys()].filter((name) => name !== 'default-restricted' || stated.has(name));
  const unknown = requests.filter(({ name }) => name !== 'all' && !known.has(name));
  return [...names.map((name) => stated.get(name) ?? { name }), ...unknown];
}

/** `host` and `none` say what the whole pod has; together with a network they contradict themselves. */
function alone(requests: readonly NetworkRequest[], name: 'host' | 'none'): boolean {
  if (!requests.some((request) => request.name === name)) return false;
  for (const request of requests) if (request.name === name) refuseArgs(request);
  if (requests.length === 1) return true;
  throw invalid(`network "${name}" excludes every other network`);
}

/** What is not one network has no plugin that could be told. */
function refuseArgs({ name, args }: NetworkRequest): void {
  if (args === undefined || args === '') return;
  throw invalid(`network ${quote(name)} takes no arguments, got ${quote(args)}`);
}

function lookUp(name: string, known: ReadonlyMap<string, NetworkConfig>): NetworkConfig {
  const network = known.get(name);
  if (network) return network;
  const names = ['all', 'host', 'none', ...known.keys()].join(', ');
  throw new Stage1Error('ERR_RKT_STAGE1_NETWORK_NOT_FOUND', `network ${quote(name)} not found; known: ${names}`);
}

function checkedArgs({ name, args }: NetworkRequest): string | undefined {
  if (args === undefined || args === '') return undefined;
  if (argsPattern.test(args)) return args;
  throw invalid(`arguments ${quote(args)} of network ${quote(name)} are not NAME=value pairs separated by ";"`);
}

function invalid(message: string): Stage1Error {
  return new Stage1Error('ERR_RKT_STAGE1_NETWORK_REQUEST_INVALID', message);
}
