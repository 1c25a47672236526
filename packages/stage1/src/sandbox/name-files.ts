// SPDX-License-Identifier: Apache-2.0
import type { NetworkResult } from '../networking/index.ts';
import type { SandboxSpec } from '../runtime.ts';

export interface NameFilesInput {
  readonly spec: SandboxSpec;
  readonly hostname: string;
  readonly hostNetwork: boolean;
  readonly networks: readonly NetworkResult[];
  /** The host's own files; undefined where it has none. */
  readonly host: HostFiles;
}

export interface HostFiles {
  readonly resolvConf: string | undefined;
  /** The name servers behind one that `resolvConf` has on loopback. */
  readonly upstreamResolvConf?: string | undefined;
  readonly hosts: string | undefined;
}

/** Contents of files below /etc; undefined: the image's own stays. */
export interface NameFiles {
  readonly resolvConf: string | undefined;
  readonly hosts: string;
  readonly hostname: string;
}

/** What an app finds in resolv.conf(5), hosts(5) and hostname(5). Pure. */
export function nameFiles(input: NameFilesInput): NameFiles {
  return { resolvConf: resolvConf(input), hosts: hosts(input), hostname: `${input.hostname}\n` };
}

function resolvConf(input: NameFilesInput): string | undefined {
  const { spec, networks, host } = input;
  const { dns = {} } = spec;
  if (dns.mode === 'none') return undefined;
  if (dns.mode === 'host') return host.resolvConf;
  const stated = [dns.nameservers, dns.search, dns.options].some((list) => (list ?? []).length > 0);
  const network = networks.find((candidate) => candidate.dns.nameservers.length > 0);
  if (!stated && dns.domain === undefined) return network ? resolvConfText(network.dns) : hostResolvConf(input);
  if ((dns.nameservers ?? []).length > 0) return resolvConfText(dns);
  // A search list alone does not make names resolve.
  const nameservers = network?.dns.nameservers ?? nameserversOf(hostResolvConf(input) ?? '');
  return resolvConfText({ ...dns, nameservers });
}

/** The host's file, without the name servers on loopback that a pod with a loopback of its own cannot reach. */
function hostResolvConf({ hostNetwork, host }: NameFilesInput): string | undefined {
  const { resolvConf: text, upstreamResolvConf } = host;
  if (hostNetwork || text === undefined || !nameserversOf(text).some(isLoopback)) return text;
  const lines = text.split('\n').filter((line) => !nameserversOf(line).some(isLoopback));
  if (nameserversOf(lines.join('\n')).length > 0 || upstreamResolvConf === undefined) return lines.join('\n');
  return upstreamResolvConf;
}

/** resolv.conf(5): the keyword begins the line. */
function nameserversOf(text: string): readonly string[] {
  return [...text.matchAll(/^nameserver[ \t]+(\S+)/gm)].flatMap(([, address]) => address ?? []);
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

interface Resolver {
  readonly nameservers?: readonly string[];
  readonly search?: readonly string[];
  readonly options?: readonly string[];
  readonly domain?: string;
}

function resolvConfText({ nameservers = [], search = [], options = [], domain }: Resolver): string {
  const lines = [
    ...nameservers.map((address) => `nameserver ${address}`),
    // The last of `domain` and `search` counts, and only one of them.
    ...(domain !== undefined && search.length === 0 ? [`domain ${domain}`] : []),
    ...(search.length > 0 ? [`search ${search.join(' ')}`] : []),
    ...(options.length > 0 ? [`options ${options.join(' ')}`] : []),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

const localNames = ['127.0.0.1\tlocalhost', '::1\tlocalhost ip6-localhost ip6-loopback'];

function hosts({ spec, hostname, networks, hostNetwork, host }: NameFilesInput): string {
  if (spec.hostsEntries === 'host' || (hostNetwork && spec.hostsEntries === undefined)) return host.hosts ?? '';
  const ip = networks.find((network) => network.ip !== undefined)?.ip;
  const ip6 = networks.find((network) => network.ip6 !== undefined)?.ip6;
  const own = ip === undefined && ip6 === undefined ? ['127.0.0.1'] : [ip, ip6].filter((each) => each !== undefined);
  const entries = (spec.hostsEntries ?? []).map(({ ip, names }) => `${ip}\t${names.join(' ')}`);
  return [...localNames, ...own.map((address) => `${address}\t${hostname}`), ...entries]
    .map((line) => `${line}\n`)
    .join('');
}
