// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Answer } from './answer.ts';

/** How a test registry authenticates. Without it everything is open. */
export type TestAuth =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | {
      readonly kind: 'bearer';
      /** With these, a token needs them; without, anybody gets one. */
      readonly username?: string;
      readonly password?: string;
      /** Accepted by POST as a refresh token. */
      readonly identityToken?: string;
      /** @default 300 */
      readonly expiresIn?: number;
      /** Requests a token is good for before it is refused, as one that ends during a pull. */
      readonly maxUses?: number;
      /** @default 'token' */
      readonly field?: 'token' | 'access_token';
      /** @default this server's `/token` */
      readonly realm?: string;
      /** @default the path of the request's repository with `pull` */
      readonly scope?: 'omitted' | 'quoted-comma';
    };

/** Decides about requests and hands out tokens. */
export interface Gate {
  /** The refusal of a request, or undefined when it may pass. */
  check(request: IncomingMessage, repository: string): Answer | undefined;
  /** Answers the token endpoint. */
  token(request: IncomingMessage, query: URLSearchParams, body: string): Answer;
}

interface IssuedToken {
  readonly scopes: readonly string[];
  uses: number;
}

const SERVICE = 'test-registry';

export function createGate(auth: TestAuth | undefined, origin: () => string): Gate {
  const tokens = new Map<string, IssuedToken>();
  return {
    check: (request, repository) => {
      if (auth === undefined) return undefined;
      if (auth.kind === 'basic') return checkBasic(auth, request);
      return isAccepted(auth, tokens, request, repository) ? undefined : challenge(auth, request, repository, origin());
    },
    token: (request, query, body) => {
      if (auth?.kind !== 'bearer') return { status: 404 };
      const form = new URLSearchParams(body);
      const scopes = request.method === 'POST' ? [form.get('scope') ?? ''] : query.getAll('scope');
      if (!mayHaveToken(auth, request, form)) return errorAnswer(401, 'UNAUTHORIZED', 'incorrect username or password');
      const value = randomBytes(24).toString('base64url');
      tokens.set(value, { scopes, uses: 0 });
      return {
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ [auth.field ?? 'token']: value, expires_in: auth.expiresIn ?? 300 }),
      };
    },
  };
}

type BearerAuth = Extract<TestAuth, { kind: 'bearer' }>;
type BasicAuth = Extract<TestAuth, { kind: 'basic' }>;

function checkBasic(auth: BasicAuth, request: IncomingMessage): Answer | undefined {
  if (request.headers.authorization === basic(auth.username, auth.password)) return undefined;
  const answer = errorAnswer(401, 'UNAUTHORIZED', 'authentication required');
  return { ...answer, headers: { ...answer.headers, 'www-authenticate': 'Basic realm="test registry"' } };
}

function isAccepted(
  auth: BearerAuth,
  tokens: Map<string, IssuedToken>,
  request: IncomingMessage,
  repository: string,
): boolean {
  const issued = tokens.get(/^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '');
  if (issued === undefined) return false;
  issued.uses += 1;
  if (auth.maxUses !== undefined && issued.uses > auth.maxUses) return false;
  const granted = issued.scopes.flatMap((scope) => {
    const [, name, actions = ''] = /^repository:(.+):([a-z,]*)$/.exec(scope) ?? [];
    return name === repository ? actions.split(',') : [];
  });
  return repository === '' || granted.includes(isWrite(request) ? 'push' : 'pull');
}

function isWrite({ method }: IncomingMessage): boolean {
  return method !== 'GET' && method !== 'HEAD';
}

function challenge(auth: BearerAuth, request: IncomingMessage, repository: string, origin: string): Answer {
  const realm = auth.realm ?? `${origin}/token`;
  const actions = auth.scope === 'quoted-comma' || isWrite(request) ? 'pull,push' : 'pull';
  const scope = auth.scope === 'omitted' || repository === '' ? '' : `,scope="repository:${repository}:${actions}"`;
  const answer = errorAnswer(401, 'UNAUTHORIZED', 'authentication required');
  const value = `Bearer realm="${realm}",service="${SERVICE}"${scope}`;
  return { ...answer, headers: { ...answer.headers, 'www-authenticate': value } };
}

function mayHaveToken(auth: BearerAuth, request: IncomingMessage, form: URLSearchParams): boolean {
  if (request.method === 'POST') {
    return auth.identityToken !== undefined && form.get('refresh_token') === auth.identityToken;
  }
  if (auth.username === undefined && auth.identityToken === undefined) return true;
  return auth.username !== undefined && request.headers.authorization === basic(auth.username, auth.password ?? '');
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** An error document of the distribution specification. */
export function errorAnswer(status: number, code: string, message: string): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ errors: [{ code, message }] }),
  };
}
