// SPDX-License-Identifier: Apache-2.0
import type { NetworkResult } from '../networking/index.ts';
import type { SandboxSpec } from '../runtime.ts';

export interface NameFilesInput {
  readonly spec: SandboxSpec;
  readonly hostname: string;
  readonly hostNetwork: boolean;
  readonly networks: readonly NetworkResult[];
  /** The host's own files; undefined where it has none. */
  readonly host: { readonly resolvConf: string | undefined; readonly hosts: string | undefined };
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

function resolvConf({ spec, networks, host }: NameFilesInput): string | undefined {
  const { dns = {} } = spec;
  if (dns.mode === 'none') return undefined;
  if (dns.mode === 'host') return host.resolvConf;
  const stated = [dns.nameservers, dns.search, dns.options].some((list) => (list ?? []).length > 0);
  if (stated || dns.domain !== undefined) return resolvConfText(dns);
  const network = networks.find((candidate) => candidate.dns.nameservers.length > 0);
  return network === undefined ? host.resolvConf : resolvConfText(network.dns);
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
  const own = networks.find(({ ip }) => ip !== undefined)?.ip ?? '127.0.0.1';
  const entries = (spec.hostsEntries ?? []).map(({ ip, names }) => `${ip}\t${names.join(' ')}`);
  return [...localNames, `${own}\t${hostname}`, ...entries].map((line) => `${line}\n`).join('');
}
