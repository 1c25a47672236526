// SPDX-License-Identifier: Apache-2.0
import type { Repository } from '@rkt/refparse';
import type { Keychain } from '../auth/credential.ts';
import { RegistryError } from '../errors.ts';
import { isLoopback } from '../protocol/addresses.ts';

/**
 * What a host may be used for: `resolve` turns tags into digests, `pull` serves content by digest, `push` takes what is
 * written. A mirror is never written to unless it says that it may be.
 */
export type HostCapability = 'resolve' | 'pull' | 'push';

/** A server that has the repositories of a domain: the registry itself or a mirror. */
export interface RegistryHost {
  /** `https://mirror.example:5000`; a path is put before `/v2/`. */
  readonly origin: string;
  /** Put between `/v2/` and the repository, as pull-through caches want it: `dockerhub-proxy`. */
  readonly prefix?: string;
  /** Taken away from the beginning of the repository's path, in whole components, before `prefix` is put there. */
  readonly strip?: string;
  /** @default `resolve` and `pull`; `push`, too, for the registry that the domain itself names */
  readonly capabilities?: ReadonlySet<HostCapability>;
  /** Used instead of the registry's keychain. */
  readonly keychain?: Keychain;
  /**
   * `http` allows an `http:` origin that is not loopback; `skip-tls-verify` accepts any certificate.
   * @default neither
   */
  readonly insecure?: 'http' | 'skip-tls-verify';
}

/** A host entry, checked. */
export interface CheckedHost {
  readonly base: URL;
  readonly prefix: string;
  readonly strip: string;
  readonly capabilities: ReadonlySet<HostCapability>;
  readonly keychain: Keychain | undefined;
  readonly allowHttp: boolean;
  readonly verifyTls: boolean;
  /** The domain credentials are looked up under. */
  readonly credentialDomain: string;
}

const HUB_ORIGIN = 'https://registry-1.docker.io';
const BOTH: ReadonlySet<HostCapability> = new Set<HostCapability>(['resolve', 'pull']);

/**
 * The registry of a domain when nothing is configured: `https://` and the domain, `http://` for loopback, and for
 * `docker.io` its registry host. To be put last in a list of mirrors.
 * @throws {RegistryError} ERR_RKT_REGISTRY_UNREACHABLE for a domain that no URL can have: `1.2.3.4.5`, `host.256`
 */
export function defaultHost(domain: string): RegistryHost {
  if (domain === 'docker.io') return { origin: HUB_ORIGIN };
  const plain = `http://${domain}`;
  if (!URL.canParse(plain)) {
    throw new RegistryError('ERR_RKT_REGISTRY_UNREACHABLE', `${domain} is neither the name nor the address of a host`);
  }
  return { origin: isLoopback(new URL(plain)) ? plain : `https://${domain}` };
}

/**
 * Checks a host entry.
 * @throws {TypeError} for an origin or prefix that is none
 * @throws {RegistryError} ERR_RKT_REGISTRY_INSECURE_REFUSED for plain HTTP that nobody allowed
 */
export function checkHost(host: RegistryHost): CheckedHost {
  if (!URL.canParse(host.origin)) throw new TypeError(`registry host origin is no URL: ${host.origin}`);
  const base = new URL(host.origin);
  if (!/^https?:$/.test(base.protocol) || base.username !== '' || base.search !== '' || base.hash !== '') {
    throw new TypeError('registry host origin must be http(s)://host[:port][/path] without credentials or query');
  }
  const prefix = (host.prefix ?? '').replace(/^\/+|\/+$/g, '');
  if (!/^[A-Za-z0-9._~/-]*$/.test(prefix) || prefix.split('/').includes('..')) {
    throw new TypeError(`registry host prefix is no path: ${prefix}`);
  }
  const allowHttp = host.insecure === 'http';
  if (base.protocol === 'http:' && !allowHttp && !isLoopback(base)) {
    throw new RegistryError(
      'ERR_RKT_REGISTRY_INSECURE_REFUSED',
      `${base.origin} is plain http, which is only used for loopback or where the host is configured as insecure`,
      { origin: base.origin },
    );
  }
  return {
    base,
    prefix,
    strip: host.strip ?? '',
    capabilities: host.capabilities ?? BOTH,
    keychain: host.keychain,
    allowHttp,
    verifyTls: host.insecure !== 'skip-tls-verify',
    credentialDomain: base.origin === HUB_ORIGIN ? 'docker.io' : base.host,
  };
}

/** `https://host/v2/<path on the host>/<rest>`; the parts are grammar-checked before they get here. */
export function repositoryUrl(host: CheckedHost, repository: Repository, rest: string): URL {
  const base = host.base.pathname.replace(/\/+$/, '');
  return new URL(`${host.base.origin}${base}/v2/${pathOnHost(host, repository)}/${rest}`);
}

/** The repository's path as the host knows it: what a token scope names. */
export function pathOnHost(host: CheckedHost, repository: Repository): string {
  const { prefix, strip } = host;
  const path = `${repository.path}/`;
  const rest = strip !== '' && path.startsWith(`${strip}/`) ? path.slice(strip.length + 1) : path;
  return [prefix, rest.replace(/\/$/, '')].filter((part) => part !== '').join('/');
}
