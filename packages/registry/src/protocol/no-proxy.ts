// SPDX-License-Identifier: Apache-2.0
import { isInRange } from './addresses.ts';

const MAX_ENTRIES = 4096;

/**
 * Whether a `NO_PROXY` has a URL asked directly, as Go's programs read it: entries, separated by commas or blanks, are names,
 * which stand for those below them, too; `.name` and `*.name`, which stand for those alone; addresses; ranges of addresses
 * (`10.0.0.0/8`); `*`, which is every host. Each may end in `:port`, IPv6 in brackets then. Names are not looked up.
 */
export function bypassesProxy(url: URL, noProxy: string): boolean {
  const entries = noProxy.toLowerCase().split(/[,\s]+/, MAX_ENTRIES);
  return entries.some((entry) => entry !== '' && isMeant(url, entry));
}

function isMeant(url: URL, entry: string): boolean {
  if (isInRange(url, entry)) return true;
  const { host, port } = splitPort(entry);
  if (port !== undefined && port !== portOf(url)) return false;
  if (host === '*' || isInRange(url, host)) return true;
  const name = host.replace(/\.$/, '');
  const asked = url.hostname.replace(/\.$/, '');
  if (/^\*?\./.test(name)) return asked.endsWith(name.replace(/^\*/, '')) && asked.length >= name.length;
  return asked === name || asked.endsWith(`.${name}`);
}

interface HostAndPort {
  readonly host: string;
  readonly port: string | undefined;
}

function splitPort(entry: string): HostAndPort {
  const [, address, port] = /^\[([0-9a-f:.]+)\](?::([0-9]{1,5}))?$/.exec(entry) ?? [];
  if (address !== undefined) return { host: address, port };
  const [, host, after] = /^([^:]+):([0-9]{1,5})$/.exec(entry) ?? [];
  return host === undefined ? { host: entry, port: undefined } : { host, port: after };
}

function portOf({ port, protocol }: URL): string {
  if (port !== '') return port;
  return protocol === 'https:' ? '443' : '80';
}
