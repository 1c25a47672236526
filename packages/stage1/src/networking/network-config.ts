// SPDX-License-Identifier: Apache-2.0
import { Stage1Error } from '../error.ts';
import { quote } from '../quote.ts';

/** One plugin of a network: its own JSON object, of which only `type` is known to everyone. */
export interface PluginConfig {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** CNI specification 1.0.0, "Network configuration format": a list of plugins that build on each other's result. */
export interface NetworkConfig {
  readonly cniVersion: string;
  readonly name: string;
  readonly plugins: readonly PluginConfig[];
}

/** Highest last. What results look like has been the same since 0.3.0; older ones are run as the newest. */
export const spokenVersions: readonly string[] = ['0.3.0', '0.3.1', '0.4.0', '1.0.0'];
export const preferredVersion = '1.0.0';

/** Names with a meaning of their own on the command line. */
const reservedNames: ReadonlySet<string> = new Set(['all', 'host', 'none']);
const maxPlugins = 16;

/**
 * Reads the text of a `.conf` (one plugin) or `.conflist` file. `origin` names it in messages.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_NETWORK_CONFIG_INVALID
 */
export function parseNetworkConfig(text: string, origin: string): NetworkConfig {
  const json = parseObject(text, origin);
  const name = json['name'];
  if (typeof name !== 'string' || !/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}$/.test(name)) {
    throw invalid(origin, `expected "name" to be letters, digits, "_", "." or "-", got ${quote(String(name))}`);
  }
  if (reservedNames.has(name)) throw invalid(origin, `the name ${quote(name)} is reserved`);
  return { cniVersion: versionOf(json['cniVersion'], origin), name, plugins: pluginsOf(json, origin) };
}

/** True when traffic of the network leaves with the host's address, so that forwarding a port to it makes sense. */
export function masquerades(network: NetworkConfig): boolean {
  return network.plugins.some((plugin) => plugin['ipMasq'] === true);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A version that is missing, older than 0.3.0 or newer than what is spoken here becomes the preferred one. */
function versionOf(value: unknown, origin: string): string {
  if (value !== undefined && typeof value !== 'string') throw invalid(origin, 'expected "cniVersion" to be a string');
  return typeof value === 'string' && spokenVersions.includes(value) ? value : preferredVersion;
}

function pluginsOf(json: Readonly<Record<string, unknown>>, origin: string): readonly PluginConfig[] {
  const list = json['plugins'];
  if (list === undefined) {
    const { cniVersion: _version, name: _name, ...plugin } = json;
    return [checkedPlugin(plugin, { origin, field: '' })];
  }
  if (!Array.isArray(list) || list.length === 0 || list.length > maxPlugins) {
    throw invalid(origin, `expected "plugins" to be a list of 1 to ${maxPlugins} plugins`);
  }
  return list.map((plugin, index) => checkedPlugin(plugin, { origin, field: `plugins[${index}]` }));
}

/** Where in which file something stands. */
interface Place {
  readonly origin: string;
  /** Empty: the file is the plugin. */
  readonly field: string;
}

/** Checks what is read here. The rest is for the plugin to judge, and its complaint names the network. */
function checkedPlugin(value: unknown, { origin, field }: Place): PluginConfig {
  if (!isRecord(value)) throw invalid(origin, `expected "${field}" to be an object`);
  const inner = (name: string): string => (field === '' ? name : `${field}.${name}`);
  const { ipam, ipMasq, capabilities } = value;
  if (ipMasq !== undefined && typeof ipMasq !== 'boolean') {
    throw invalid(origin, `expected "${inner('ipMasq')}" to be true or false`);
  }
  for (const [name, section] of Object.entries({ ipam, capabilities })) {
    if (section !== undefined && !isRecord(section)) throw invalid(origin, `expected "${inner(name)}" to be an object`);
  }
  if (isRecord(ipam) && ipam['type'] !== undefined) checkedType(ipam['type'], { origin, field: inner('ipam.type') });
  return { ...value, type: checkedType(value['type'], { origin, field: inner('type') }) };
}

/** The type is a file name below the plugin directories and nothing else. */
function checkedType(type: unknown, { origin, field }: Place): string {
  if (typeof type === 'string' && /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}$/.test(type)) return type;
  throw invalid(origin, `expected "${field}" to be the file name of a plugin, got ${quote(String(type))}`);
}

function parseObject(text: string, origin: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch (error) {
    const reason = error instanceof SyntaxError ? quote(error.message) : 'unreadable';
    const message = `network configuration ${origin} is not JSON: ${reason}`;
    throw new Stage1Error('ERR_RKT_STAGE1_NETWORK_CONFIG_INVALID', message, { cause: error });
  }
  throw invalid(origin, 'expected an object');
}

function invalid(origin: string, reason: string): Stage1Error {
  return new Stage1Error('ERR_RKT_STAGE1_NETWORK_CONFIG_INVALID', `network configuration ${origin}: ${reason}`);
}
