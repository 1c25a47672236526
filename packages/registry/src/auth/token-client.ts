// SPDX-License-Identifier: Apache-2.0
import { RegistryError } from '../errors.ts';
import type { AbortOptions } from '../image/image.ts';
import { parseErrorBody } from '../protocol/error-body.ts';
import { isRedirect } from '../protocol/redirect.ts';
import { parseRetryAfter } from '../protocol/retry-after.ts';
import { parseTokenResponse, type Token } from '../protocol/token-response.ts';
import { readAll } from '../transport/body.ts';
import { header, type Transport, type TransportRequest, type TransportResponse } from '../transport/transport.ts';
import { type AuthTarget, basicAuthorization } from './authenticator.ts';
import { type Credential, from, secretsOf, sourceOf } from './credential.ts';

/** One request for a bearer token. `credential` is absent where the realm may not see one. */
export interface TokenRequest {
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scope: string;
  readonly credential: Credential | undefined;
  /** What there is and the realm may not see, for messages. */
  readonly withheld: Credential | undefined;
  readonly target: AuthTarget;
}

export interface TokenClient {
  /**
   * Asks a token server. Redirects are never followed: a request may carry a secret in its body.
   * @throws {RegistryError} ERR_RKT_REGISTRY_UNAUTHORIZED, _RATE_LIMITED, _PROTOCOL, _REDIRECT_REFUSED, _LIMIT_EXCEEDED
   */
  fetchToken(request: TokenRequest, options: AbortOptions): Promise<Token>;
}

const MAX_TOKEN_BODY = 1 << 20;
const CLIENT_ID = 'rkt';
/** Answers of servers that do not know the OAuth 2 form of the protocol. */
const NO_POST: ReadonlySet<number> = new Set([400, 401, 404, 405]);

export interface TokenClientOptions {
  readonly transport: Transport;
  readonly userAgent: string;
  readonly now: () => number;
}

export function createTokenClient(options: TokenClientOptions): TokenClient {
  const send = async (request: TokenRequest, post: boolean, abort: AbortOptions): Promise<TokenAnswer> => {
    const response = await options.transport(
      post ? postRequest(request, options, abort) : getRequest(request, options, abort),
    );
    const body = await readAll(response.body, MAX_TOKEN_BODY, `the answer of token server ${request.realm.origin}`);
    return { response, body };
  };
  return {
    fetchToken: async (request, abort) => {
      let answer = await send(request, request.credential?.kind === 'identity-token', abort);
      if (request.credential?.kind === 'identity-token' && NO_POST.has(answer.response.status)) {
        answer = await send(request, false, abort);
      }
      if (answer.response.status !== 200) throw failure(request, answer, options.now());
      const token = parseTokenResponse(answer.body, options.now());
      if (token !== undefined) return token;
      throw new RegistryError('ERR_RKT_REGISTRY_PROTOCOL', `token server ${request.realm.origin} sent no token`, {
        origin: request.realm.origin,
        reference: request.target.label,
      });
    },
  };
}

interface TokenAnswer {
  readonly response: TransportResponse;
  readonly body: Uint8Array;
}

function getRequest(request: TokenRequest, options: TokenClientOptions, abort: AbortOptions): TransportRequest {
  const url = new URL(request.realm);
  if (request.service !== undefined) url.searchParams.set('service', request.service);
  // One key per scope: servers differ in whether they split the value.
  for (const scope of request.scope.split(' ')) if (scope !== '') url.searchParams.append('scope', scope);
  const login = basicLogin(request.credential);
  return {
    method: 'GET',
    url,
    headers: { ...baseHeaders(options), ...(login === undefined ? {} : { authorization: login }) },
    verifyTls: verifyTls(request),
    ...abort,
  };
}

function postRequest(request: TokenRequest, options: TokenClientOptions, abort: AbortOptions): TransportRequest {
  const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: CLIENT_ID, scope: request.scope });
  if (request.service !== undefined) form.set('service', request.service);
  if (request.credential?.kind === 'identity-token') form.set('refresh_token', request.credential.token);
  return {
    method: 'POST',
    url: request.realm,
    headers: { ...baseHeaders(options), 'content-type': 'application/x-www-form-urlencoded' },
    body: form.toString(),
    verifyTls: verifyTls(request),
    ...abort,
  };
}

function baseHeaders(options: TokenClientOptions): Record<string, string> {
  return { accept: 'application/json', 'accept-encoding': 'identity', 'user-agent': options.userAgent };
}

/** `skip-tls-verify` is a statement about one origin; a token server elsewhere is verified. */
function verifyTls(request: TokenRequest): boolean {
  return request.target.host.verifyTls || request.realm.origin !== request.target.host.base.origin;
}

function basicLogin(credential: Credential | undefined): string | undefined {
  if (credential?.kind === 'basic') return basicAuthorization(credential.username, credential.password);
  if (credential?.kind !== 'identity-token' || credential.username === undefined) return undefined;
  return basicAuthorization(credential.username, credential.token);
}

function failure(request: TokenRequest, answer: TokenAnswer, now: number): RegistryError {
  const { origin } = request.realm;
  const { status, headers } = answer.response;
  const reference = request.target.label;
  const body = parseErrorBody(answer.body, header(headers, 'content-type'), secretsOf(request.credential));
  const said = body.said === undefined ? '' : `: ${body.said}`;
  const retryAfterMs = parseRetryAfter(header(headers, 'retry-after'), now);
  const context = { origin, reference, status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  if (isRedirect(status)) {
    return new RegistryError(
      'ERR_RKT_REGISTRY_REDIRECT_REFUSED',
      `token server ${origin} redirects, which is not followed`,
      context,
    );
  }
  if (status === 401 || status === 403) {
    const text = `token server ${origin} refused ${applicant(request)} for ${reference}${said}`;
    return new RegistryError('ERR_RKT_REGISTRY_UNAUTHORIZED', text, { ...context, ...sourceOf(request.credential) });
  }
  if (status === 429) {
    const text = `token server ${origin} limits the rate of requests${said}`;
    return new RegistryError('ERR_RKT_REGISTRY_RATE_LIMITED', text, { ...context, transient: true });
  }
  const code = status >= 500 ? 'ERR_RKT_REGISTRY_SERVER_ERROR' : 'ERR_RKT_REGISTRY_PROTOCOL';
  return new RegistryError(code, `token server ${origin} answered ${status}${said}`, {
    ...context,
    transient: status >= 500,
  });
}

function applicant({ credential, withheld, target }: TokenRequest): string {
  if (credential !== undefined) return `the credentials${from(credential)}`;
  if (withheld === undefined) return 'an anonymous pull';
  return `an anonymous pull (the credentials${from(withheld)} are not sent to it: nothing shows that it belongs to ${target.host.base.origin})`;
}
