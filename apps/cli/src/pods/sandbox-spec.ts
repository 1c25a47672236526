// SPDX-License-Identifier: Apache-2.0
import { isIP } from 'node:net';
import type { DnsOptions, NetworkRequest, SandboxSpec } from '@rkt/stage1';
import type { FlagValues } from '../args/flag.ts';
import type { InsecureOption } from '../args/global-flags.ts';
import { usageError } from '../errors.ts';
import { quote } from '../render/quote.ts';
import type { ChosenFlavor } from './chosen-flavor.ts';

/** What the command line says outside of the pod's own flags. */
export interface Surroundings {
  readonly flavor: ChosenFlavor;
  readonly insecure: ReadonlySet<InsecureOption>;
}

/**
 * What surrounds the apps of a pod, from the command line.
 * @throws {CliError} ERR_RKT_CLI_USAGE
 */
export function sandboxSpec(flags: FlagValues, surroundings: Surroundings): SandboxSpec {
  const { flavor, insecure } = surroundings;
  const { name, traits } = flavor;
  const [forwarding] = ['port', 'publish'].filter((each) => flags.given(each)).map((each) => `--${each} flag`);
  const usual = traits.namespaces.includes('net') ? 'default' : 'host';
  return {
    networks: readNetworks(flags.texts('net'), { usual, forwarding }),
    ...surroundingsOf(flags),
    ...(name === undefined ? {} : { flavor: name }),
    ...(flags.boolean('private-users') ? { privateUsers: true } : {}),
    ...(flags.text('pid') === 'pod' ? { pid: 'pod' } : {}),
    insecure: {
      capabilities: insecure.has('capabilities'),
      paths: insecure.has('paths'),
      seccomp: insecure.has('seccomp'),
    },
  };
}

/**
 * What of a pod that was prepared the command line says otherwise, `forwards` being whether ports are forwarded to it.
 * @throws {CliError} ERR_RKT_CLI_USAGE
 */
export function changedSpec(flags: FlagValues, forwards: boolean): Partial<SandboxSpec> {
  if (!flags.given('net')) return surroundingsOf(flags);
  const forwarding = forwards ? 'a pod with forwarded ports' : undefined;
  return { networks: readNetworks(flags.texts('net'), { usual: 'default', forwarding }), ...surroundingsOf(flags) };
}

function surroundingsOf(flags: FlagValues): Pick<SandboxSpec, 'hostname' | 'dns' | 'hostsEntries'> {
  const hostname = flags.text('hostname');
  const dns = readDns(flags);
  const hostsEntries = readHosts(flags.texts('hosts-entry'));
  return {
    ...(hostname === undefined ? {} : { hostname: checkedHostname(hostname) }),
    ...(dns === undefined ? {} : { dns }),
    ...(hostsEntries === undefined ? {} : { hostsEntries }),
  };
}

interface NetworkContext {
  /** What a pod has when none is named. */
  readonly usual: string;
  /** What has ports forwarded, which a network must be able to; undefined if nothing does. */
  readonly forwarding: string | undefined;
}

/**
 * `n[:args],...`. Arguments are separated by `;`, or by `,` as networks are: an item is an argument of the network before
 * it when it has the form NAME=VALUE, which no network's name has.
 */
function readNetworks(values: readonly string[], { usual, forwarding }: NetworkContext): readonly NetworkRequest[] {
  const texts = values.length === 0 ? [usual] : values;
  const requests = texts.flatMap((text) => itemsOf(text).map((item) => readNetwork(item, texts)));
  const names = requests.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw usageError(`--net: network ${quote(twice)} is given twice`);
  const alone = requests.find(({ name }) => name === 'host' || name === 'none');
  if (alone === undefined || forwarding === undefined) return requests;
  throw usageError(`${forwarding} does not work with '${alone.name}' networking`);
}

/** The networks of one `--net`, each with its arguments. */
function itemsOf(text: string): readonly string[] {
  const items: string[] = [];
  for (const item of text.split(',')) {
    const before = items.at(-1);
    if (before?.includes(':') && /^[^:=]+=/.test(item)) items[items.length - 1] = `${before};${item}`;
    else items.push(item);
  }
  return items;
}

function readNetwork(item: string, texts: readonly string[]): NetworkRequest {
  const refuse = (why: string): never => {
    throw usageError(`invalid argument ${quote(texts.join(','))} for --net: ${why}`);
  };
  const colon = item.indexOf(':');
  const name = colon < 0 ? item : item.slice(0, colon);
  if (name === '') refuse('a network has no name');
  if (name.includes('=')) refuse('arguments of a network follow its name: NETWORK:NAME=VALUE');
  if (colon < 0) return { name };
  const args = item.slice(colon + 1);
  if (['all', 'host', 'none'].includes(name)) refuse(`network ${quote(name)} takes no arguments`);
  if (args.split(';').some((arg) => !/^[A-Za-z0-9_]+=/.test(arg))) refuse('arguments must be NAME=VALUE');
  return { name, args };
}

function checkedHostname(text: string): string {
  if (text.length <= 64 && /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(text)) return text;
  throw usageError(
    `invalid argument ${quote(text)} for --hostname: it must be letters, digits, "-" and ".", at most 64`,
  );
}

function readDns(flags: FlagValues): DnsOptions | undefined {
  const servers = items(flags, 'dns');
  const search = items(flags, 'dns-search');
  const options = items(flags, 'dns-opt');
  const domain = flags.text('dns-domain');
  const mode = servers.find((server) => server === 'host' || server === 'none');
  if (mode === 'host' || mode === 'none') {
    if (servers.length > 1) throw usageError(`--dns=${mode} excludes every other name server`);
    const idle = ['dns-search', 'dns-opt', 'dns-domain'].find((name) => flags.given(name));
    if (idle !== undefined) throw usageError(`--${idle} has no effect with --dns=${mode}`);
    return { mode };
  }
  const wrong = servers.find((server) => isIP(server) === 0);
  if (wrong !== undefined) throw usageError(`invalid argument ${quote(wrong)} for --dns: it must be an IP address`);
  const words = [...search, ...options, ...(domain === undefined ? [] : [domain])];
  const unfit = words.find((word) => !/^[\x21-\x7e]+$/.test(word));
  if (unfit !== undefined) throw usageError(`${quote(unfit)} cannot stand in resolv.conf`);
  if (servers.length === 0 && words.length === 0) return undefined;
  return {
    ...(servers.length === 0 ? {} : { nameservers: servers }),
    search,
    options,
    ...(domain === undefined ? {} : { domain }),
  };
}

function items(flags: FlagValues, name: string): readonly string[] {
  return flags
    .texts(name)
    .flatMap((text) => text.split(','))
    .filter((item) => item !== '');
}

function readHosts(values: readonly string[]): SandboxSpec['hostsEntries'] {
  const entries = values.flatMap((text) => text.split(','));
  if (entries.length === 0) return undefined;
  if (entries.includes('host')) {
    if (entries.length > 1) throw usageError('--hosts-entry=host excludes every other entry');
    return 'host';
  }
  const byAddress = new Map<string, string[]>();
  for (const entry of entries) {
    const equals = entry.indexOf('=');
    const ip = entry.slice(0, Math.max(equals, 0));
    const name = entry.slice(equals + 1);
    if (isIP(ip) === 0 || !/^[A-Za-z0-9._-]+$/.test(name)) {
      throw usageError(`invalid argument ${quote(entry)} for --hosts-entry: it must be IP=HOST`);
    }
    byAddress.set(ip, [...(byAddress.get(ip) ?? []), name]);
  }
  return Array.from(byAddress, ([ip, names]) => ({ ip, names }));
}
