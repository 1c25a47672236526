// SPDX-License-Identifier: Apache-2.0
import type { Repository } from '@rkt/refparse';
import { type CheckedHost, pathOnHost } from '../client/hosts.ts';
import { RegistryError } from '../errors.ts';
import type { AbortOptions } from '../image/image.ts';
import { type Challenge, parseChallenges } from '../protocol/challenge.ts';
import { decideRealm } from '../protocol/realm.ts';
import { isToken } from '../protocol/token-response.ts';
import { type SharedWork, shareWork } from '../shared-work.ts';
import { headerValues, type ResponseHeaders } from '../transport/transport.ts';
import { type Credential, from, type Keychain, sourceOf } from './credential.ts';
import type { TokenClient } from './token-client.ts';

/** Whose request is to be authorised. */
export interface AuthTarget {
  readonly host: CheckedHost;
  readonly repository: Repository;
  /** What tokens are asked for when a challenge does not say. @default 'pull' */
  readonly actions?: 'pull' | 'pull,push';
  /** For messages: `docker.io/library/nginx:latest`. */
  readonly label: string;
}

/** What goes into the `Authorization` header. */
export interface Authorization {
  readonly value: string;
  /** What it was made of; undefined for a token that anybody gets. */
  readonly credential: Credential | undefined;
}

/** Answers challenges and remembers the answers, per origin and repository. */
export interface Authenticator {
  /** What worked last for this target and has not expired, or undefined. */
  current(target: AuthTarget): Authorization | undefined;
  /**
   * A new authorization for a 401 answer of the target's own origin. Concurrent calls for one target share one
   * token request. `refused` says what the request carried.
   *
   * @throws {RegistryError} ERR_RKT_REGISTRY_UNAUTHORIZED, ERR_RKT_REGISTRY_REALM_REFUSED and those of the keychain
   */
  answer(target: AuthTarget, refused: Refused, options: AbortOptions): Promise<Authorization>;
}

/** A request that was answered with 401. */
export interface Refused {
  readonly authorization: Authorization | undefined;
  readonly headers: ResponseHeaders;
}

export interface AuthenticatorOptions {
  readonly keychain: Keychain;
  readonly tokens: TokenClient;
  /** `host[:port]` of token servers that may receive credentials though they are not the registry's own. */
  readonly trustedRealms: readonly string[];
  readonly now: () => number;
}

export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const known = new Map<string, Negotiated>();
  const pending = new Map<string, SharedWork<Authorization>>();

  const current = (target: AuthTarget): Authorization | undefined => {
    const entry = known.get(keyOf(target));
    return entry !== undefined && entry.expiresAt > options.now() ? entry : undefined;
  };

  const renew = async (target: AuthTarget, refused: Refused, abort: AbortOptions): Promise<Authorization> => {
    const entry = await negotiate(options, { target, refused, abort });
    known.set(keyOf(target), entry);
    return entry;
  };

  const answer = async (target: AuthTarget, refused: Refused, abort: AbortOptions): Promise<Authorization> => {
    const newer = current(target);
    // Another request has renewed it in the meantime.
    if (newer !== undefined && newer.value !== refused.authorization?.value) return newer;
    const key = keyOf(target);
    let work = pending.get(key);
    if (work === undefined || work.abandoned) {
      work = shareWork((signal) => renew(target, refused, { signal }));
      pending.set(key, work);
    }
    try {
      return await work.join(abort.signal);
    } finally {
      if (pending.get(key) === work && (work.settled || work.abandoned)) pending.delete(key);
    }
  };

  return { current, answer };
}

function keyOf(target: AuthTarget): string {
  const path = pathOnHost(target.host, target.repository);
  return `${target.host.base.href} ${path} ${target.actions ?? 'pull'}`;
}

interface Negotiation {
  readonly target: AuthTarget;
  readonly refused: Refused;
  readonly abort: AbortOptions;
}

interface Negotiated extends Authorization {
  readonly expiresAt: number;
}

async function negotiate(options: AuthenticatorOptions, request: Negotiation): Promise<Negotiated> {
  const { target, refused, abort } = request;
  const challenges = parseChallenges(headerValues(refused.headers, 'www-authenticate'));
  const bearer = challenges.find((challenge) => challenge.scheme === 'bearer' && challenge.parameters.has('realm'));
  const credential = await lookUp(options, target, abort);
  if (bearer !== undefined) return askForToken(options, { bearer, credential, target, abort });
  if (!challenges.some((challenge) => challenge.scheme === 'basic')) {
    throw unauthorized(target, 'it asks for authentication in no way that is known (Bearer or Basic)');
  }
  if (credential === undefined) throw unauthorized(target, 'it needs credentials and there are none');
  if (credential.kind !== 'basic') {
    throw unauthorized(target, 'it wants a user and password and only a token is known', credential);
  }
  const value = basicAuthorization(credential.username, credential.password);
  if (value === refused.authorization?.value) {
    throw unauthorized(target, `the user or password${from(credential)} is wrong`, credential);
  }
  return { value, credential, expiresAt: Number.POSITIVE_INFINITY };
}

function lookUp(
  options: AuthenticatorOptions,
  target: AuthTarget,
  abort: AbortOptions,
): Promise<Credential | undefined> {
  const keychain = target.host.keychain ?? options.keychain;
  const path = pathOnHost(target.host, target.repository);
  return keychain.resolve({ domain: target.host.credentialDomain, path }, abort);
}

interface BearerRequest {
  readonly bearer: Challenge;
  readonly credential: Credential | undefined;
  readonly target: AuthTarget;
  readonly abort: AbortOptions;
}

async function askForToken(options: AuthenticatorOptions, request: BearerRequest): Promise<Negotiated> {
  const { bearer, credential, target } = request;
  if (credential?.kind === 'bearer') {
    if (!isToken(credential.token)) {
      throw unauthorized(target, `the token${from(credential)} has characters that no header field has`, credential);
    }
    return { value: `Bearer ${credential.token}`, credential, expiresAt: Number.POSITIVE_INFINITY };
  }
  const realm = decideRealm(bearer.parameters.get('realm') ?? '', target.host.base, options.trustedRealms);
  if (realm.kind === 'refused') {
    const origin = target.host.base.origin;
    throw new RegistryError(
      'ERR_RKT_REGISTRY_REALM_REFUSED',
      `the token server that ${origin} names is refused: ${realm.reason}`,
      {
        origin,
        reference: target.label,
      },
    );
  }
  const shown = realm.kind === 'trusted' ? credential : undefined;
  const { value, expiresAt } = await options.tokens.fetchToken(
    {
      realm: realm.url,
      service: bearer.parameters.get('service'),
      scope:
        bearer.parameters.get('scope') ??
        `repository:${pathOnHost(target.host, target.repository)}:${target.actions ?? 'pull'}`,
      credential: shown,
      withheld: shown === undefined ? credential : undefined,
      target,
    },
    request.abort,
  );
  return { value: `Bearer ${value}`, credential: shown, expiresAt };
}

/** The `Authorization` value of RFC 7617. */
export function basicAuthorization(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function unauthorized(target: AuthTarget, reason: string, credential?: Credential): RegistryError {
  const { origin } = target.host.base;
  return new RegistryError('ERR_RKT_REGISTRY_UNAUTHORIZED', `${origin} refused access to ${target.label}: ${reason}`, {
    origin,
    reference: target.label,
    status: 401,
    ...sourceOf(credential),
  });
}
