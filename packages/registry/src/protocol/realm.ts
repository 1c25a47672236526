// SPDX-License-Identifier: Apache-2.0
import { isLocalAddress, isLoopback, isPrivateAddress } from './addresses.ts';

/** What may be asked of a token server: anything, only an anonymous token, or nothing at all. */
export type RealmDecision =
  | { readonly kind: 'trusted'; readonly url: URL }
  | { readonly kind: 'anonymous'; readonly url: URL }
  | { readonly kind: 'refused'; readonly reason: string };

/** Token servers that belong to a registry though their names do not show it. */
const KNOWN_PAIRS: ReadonlyMap<string, string> = new Map([
  ['registry-1.docker.io', 'auth.docker.io'],
  ['registry.redhat.io', 'sso.redhat.com'],
  ['nvcr.io', 'authn.nvidia.com'],
]);

/** Suffixes under which unrelated people have names: a shared parent there proves nothing. */
const SHARED_SUFFIXES: ReadonlySet<string> = new Set([
  'amazonaws.com',
  'appspot.com',
  'azure.com',
  'azurefd.net',
  'azurecr.io',
  'azurecr.cn',
  'azurecr.us',
  'azurewebsites.net',
  'cloudapp.net',
  'cloudfront.net',
  'ddns.net',
  'deno.dev',
  'digitaloceanspaces.com',
  'duckdns.org',
  'dyndns.org',
  'eu.org',
  'firebaseapp.com',
  'fly.dev',
  'github.io',
  'gitlab.io',
  'googleapis.com',
  'hf.space',
  'herokuapp.com',
  'netlify.app',
  'ngrok.io',
  'ngrok.app',
  'ngrok-free.app',
  'nip.io',
  'no-ip.org',
  'on.aws',
  'ondigitalocean.app',
  'onrender.com',
  'pages.dev',
  'pkg.dev',
  'r2.dev',
  'railway.app',
  'replit.app',
  'run.app',
  'sslip.io',
  'trafficmanager.net',
  'trycloudflare.com',
  'ts.net',
  'vercel.app',
  'web.app',
  'windows.net',
  'workers.dev',
]);

const GENERIC_SECOND_LEVELS: ReadonlySet<string> = new Set([
  'ac',
  'co',
  'com',
  'edu',
  'go',
  'gob',
  'gov',
  'gouv',
  'mil',
  'ne',
  'net',
  'nom',
  'or',
  'org',
  'plc',
  'ltd',
  'me',
  'sch',
  'in',
]);

/**
 * Decides what the realm of a challenge from `registry` may receive. Credentials go to the registry's own origin, and
 * over https to a host of the same registrable domain, of the built-in pairs, or of `trustedHosts`. Other public realms
 * get an anonymous request; realms that cannot be legitimate are refused, so that a public registry cannot make the
 * client probe a private network.
 */
export function decideRealm(realm: string, registry: URL, trustedHosts: readonly string[]): RealmDecision {
  if (!URL.canParse(realm)) return { kind: 'refused', reason: 'it is no absolute URL' };
  const url = new URL(realm);
  url.hash = '';
  const listed = trustedHosts.includes(url.host);
  const reason = refusal(url, registry, listed);
  if (reason !== undefined) return { kind: 'refused', reason };
  if (url.origin === registry.origin || listed) return { kind: 'trusted', url };
  if (url.protocol === 'http:' && !isLoopback(url))
    return { kind: 'refused', reason: 'it is plain http on another host' };
  const related = url.protocol === 'https:' && isRelated(url.hostname, registry.hostname);
  return { kind: related ? 'trusted' : 'anonymous', url };
}

/** Why nothing at all is sent to a realm, or undefined. */
function refusal(url: URL, registry: URL, listed: boolean): string | undefined {
  if (url.username !== '' || url.password !== '') return 'it contains credentials';
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'it is not http or https';
  if (url.origin === registry.origin) return undefined;
  if (url.protocol === 'http:' && registry.protocol === 'https:')
    return 'the registry speaks https and the realm does not';
  return listed || mayReach(url, registry) ? undefined : 'it is a private or local address';
}

/** A registry on this machine may name a realm on it, one in a private network a realm in one; no other may. */
function mayReach(url: URL, registry: URL): boolean {
  if (isLocalAddress(url)) return isLoopback(url) && isLoopback(registry);
  return !isPrivateAddress(url) || isPrivateAddress(registry);
}

function isRelated(realm: string, registry: string): boolean {
  if (realm === registry || KNOWN_PAIRS.get(registry) === realm) return true;
  const ours = registrableDomain(registry);
  return ours !== undefined && ours === registrableDomain(realm);
}

/**
 * The part of a host name one owner registers. Without the public suffix list this is an approximation that errs
 * towards "unknown": IP addresses, single labels and known shared suffixes have none.
 */
function registrableDomain(host: string): string | undefined {
  const labels = host.toLowerCase().replace(/\.$/, '').split('.');
  const [second, top] = labels.slice(-2);
  if (second === undefined || top === undefined || /^[0-9]+$/.test(top) || host.startsWith('[')) return undefined;
  const two = `${second}.${top}`;
  if (SHARED_SUFFIXES.has(two)) return undefined;
  if (top.length > 2 || !GENERIC_SECOND_LEVELS.has(second)) return two;
  const third = labels.at(-3);
  return third === undefined ? undefined : `${third}.${two}`;
}
