// SPDX-License-Identifier: Apache-2.0
import type { Reference, Repository } from '@rkt/refparse';
import { formatReference, tryParseReference } from '@rkt/refparse';
import { RegistryError } from '../errors.ts';
import { TlsExpectedError } from '../transport/tls-mismatch.ts';
import { type CheckedHost, checkHost, defaultHost, type HostCapability, type RegistryHost } from './hosts.ts';
import type { Retrying } from './retry.ts';
import type { Session } from './session.ts';

/** What every verb works with. */
export interface ClientContext {
  readonly session: Session;
  readonly retrying: Retrying;
  readonly hosts: (
    domain: string,
    repository: Repository,
  ) => readonly RegistryHost[] | Promise<readonly RegistryHost[]>;
  readonly maxManifestBytes: number;
  /** `origin digest` pairs that turned out to be wrong: another host is asked the next time. */
  readonly corrupt: Set<string>;
  /** Origins of loopback that are named as `http:` and speak TLS. */
  readonly overTls: Set<string>;
}

/** A host to try, and how often. */
export interface Candidate {
  readonly host: CheckedHost;
  readonly retrying: Retrying;
}

/** Which hosts are needed for what. */
export interface WantedHosts {
  readonly repository: Repository;
  readonly capability: HostCapability;
  readonly signal?: AbortSignal | undefined;
  /** With it, hosts that served wrong bytes for this digest before come last. */
  readonly digest?: string;
}

/** A mirror that fails is passed over quickly; only the last host is worth waiting for. */
const MIRROR_ATTEMPTS = 2;

/**
 * Tries the hosts of a domain that have a capability, in order, until one succeeds. Any failure of one moves on to the
 * next, but an abort. When all fail the last one's error is thrown, with the others as its cause.
 */
export async function tryHosts<T>(
  context: ClientContext,
  wanted: WantedHosts,
  attempt: (candidate: Candidate) => Promise<T>,
): Promise<T> {
  wanted.signal?.throwIfAborted();
  return tryEach(context, await usableHosts(context, wanted), wanted, async (host, retrying) => {
    try {
      return await attempt({ host: checkHost(host), retrying });
    } catch (error) {
      if (!(error instanceof TlsExpectedError) || host.insecure === 'http') throw error;
      const { origin } = new URL(host.origin);
      if (error.origin !== origin) throw error;
      context.overTls.add(origin);
      return attempt({ host: checkHost(settled(context, host)), retrying });
    }
  });
}

/** A host over https, if that is what its origin turned out to speak. */
function settled(context: ClientContext, host: RegistryHost): RegistryHost {
  if (context.overTls.size === 0 || host.insecure === 'http' || !URL.canParse(host.origin)) return host;
  const url = new URL(host.origin);
  if (!context.overTls.has(url.origin)) return host;
  url.protocol = 'https:';
  return { ...host, origin: url.href };
}

/** Tries places in order until one succeeds, each but the last impatiently; see `tryHosts` about failures. */
export async function tryEach<P, T>(
  context: ClientContext,
  places: readonly P[],
  wanted: Pick<WantedHosts, 'repository' | 'signal'>,
  attempt: (place: P, retrying: Retrying) => Promise<T>,
): Promise<T> {
  const failures: RegistryError[] = [];
  for (const [index, place] of places.entries()) {
    try {
      return await attempt(place, index === places.length - 1 ? context.retrying : impatient(context.retrying));
    } catch (error) {
      wanted.signal?.throwIfAborted();
      if (!(error instanceof RegistryError)) throw error;
      failures.push(error);
    }
  }
  throw combine(failures, wanted.repository);
}

/** Every host of a repository's domain; at least one, the registry itself last where the caller does not say otherwise. */
export async function hostsFor(
  context: ClientContext,
  repository: Repository,
): Promise<readonly [RegistryHost, ...RegistryHost[]]> {
  const [first = defaultHost(repository.domain), ...others] = await context.hosts(repository.domain, repository);
  return [settled(context, first), ...others.map((host) => settled(context, host))];
}

async function usableHosts(context: ClientContext, wanted: WantedHosts): Promise<readonly RegistryHost[]> {
  const { domain } = wanted.repository;
  const hosts = await hostsFor(context, wanted.repository);
  const able = hosts.filter((host) => isAble(host, domain, wanted.capability));
  const isSuspect = (host: RegistryHost): boolean =>
    URL.canParse(host.origin) && context.corrupt.has(corruptKey(new URL(host.origin).origin, wanted.digest ?? ''));
  return [...able.filter((host) => !isSuspect(host)), ...able.filter(isSuspect)];
}

/** Reading is for every host that does not say otherwise; writing for those that do, and for the registry itself. */
function isAble({ capabilities, origin }: RegistryHost, domain: string, wanted: HostCapability): boolean {
  if (capabilities !== undefined) return capabilities.has(wanted);
  if (wanted !== 'push') return true;
  return URL.canParse(origin) && new URL(origin).host === new URL(defaultHost(domain).origin).host;
}

/** An entry of `ClientContext.corrupt`. */
export function corruptKey(origin: string, digest: string): string {
  return `${origin} ${digest}`;
}

function impatient(retrying: Retrying): Retrying {
  const attempts = Math.min(MIRROR_ATTEMPTS, retrying.policy.attempts);
  return { ...retrying, policy: { ...retrying.policy, attempts, maxRetryAfterMs: 0 } };
}

function combine(failures: readonly RegistryError[], repository: Repository): RegistryError {
  const last = failures.at(-1);
  if (last === undefined) {
    const text = `no host is configured to serve ${repository.domain}/${repository.path}`;
    return new RegistryError('ERR_RKT_REGISTRY_UNREACHABLE', text, {
      reference: `${repository.domain}/${repository.path}`,
    });
  }
  if (failures.length === 1) return last;
  const others = failures.slice(0, -1).map((error) => error.message);
  return new RegistryError(last.code, `${last.message} (before that: ${others.join('; ')})`, {
    ...contextOf(last),
    cause: new AggregateError(failures, 'all hosts failed'),
  });
}

function contextOf(error: RegistryError): Record<string, unknown> {
  const { name: _name, code: _code, ...context } = error;
  return Object.fromEntries(Object.entries(context).filter(([, value]) => value !== undefined));
}

/**
 * Guards the places where a reference becomes a URL: only what the grammar allows gets there.
 * @throws {TypeError} for a hand-made reference that would not parse
 */
export function assertReference(reference: Reference): void {
  const parsed = tryParseReference(formatReference(reference), { mode: 'strict' });
  const same =
    parsed !== undefined &&
    parsed.domain === reference.domain &&
    parsed.path === reference.path &&
    parsed.tag === reference.tag &&
    parsed.digest === reference.digest;
  if (!same) throw new TypeError('not a valid reference');
}
