// SPDX-License-Identifier: Apache-2.0
import type { Authenticator, Authorization, AuthTarget } from '../auth/authenticator.ts';
import { RegistryError } from '../errors.ts';
import { followRedirect, isRedirect } from '../protocol/redirect.ts';
import { readSome } from '../transport/body.ts';
import { header, type Transport, type TransportRequest, type TransportResponse } from '../transport/transport.ts';
import { type Retrying, withRetries } from './retry.ts';
import { statusError } from './status-error.ts';

/** One registry request: what to ask a host for. */
export interface RegistryRequest {
  readonly method: TransportRequest['method'];
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent again with every try. */
  readonly body?: Uint8Array;
  /** Part of a write: it is answered with 201, 202 or 204, and no redirect carries it elsewhere. */
  readonly isWrite?: true;
  readonly signal?: AbortSignal | undefined;
}

/** Sends requests to hosts: authorised, redirected, repeated as far as that is safe. */
export interface Session {
  /**
   * The successful answer: 200 or 206, of a write also 201, 202 or 204.
   * @throws {RegistryError} for every other one
   */
  send(target: AuthTarget, request: RegistryRequest, retrying?: Retrying): Promise<TransportResponse>;
  /** The same without credentials and without a certificate of this client; a challenge is a failure. */
  sendAnonymously(target: AuthTarget, request: RegistryRequest, retrying?: Retrying): Promise<TransportResponse>;
}

export interface SessionOptions {
  readonly transport: Transport;
  readonly authenticator: Authenticator;
  readonly retrying: Retrying;
  readonly maxRedirects: number;
  readonly maxErrorBodyBytes: number;
  readonly userAgent: string;
  readonly now: () => number;
}

export function createSession(options: SessionOptions): Session {
  return {
    send: (target, request, retrying = options.retrying) =>
      withRetries(retrying, request.signal, () => sendOnce(options, target, request)),
    sendAnonymously: (target, request, retrying = options.retrying) =>
      withRetries(retrying, request.signal, async () => {
        const answer = await follow(options, { target, request, authorization: undefined, anonymous: true });
        return expectSuccess(options, { target, request, authorization: undefined }, answer);
      }),
  };
}

async function sendOnce(
  options: SessionOptions,
  target: AuthTarget,
  request: RegistryRequest,
): Promise<TransportResponse> {
  const authorization = options.authenticator.current(target);
  const first = await follow(options, { target, request, authorization });
  if (!isChallenge(first)) return expectSuccess(options, { target, request, authorization }, first);
  // Drained so that the connection can carry the next request; the text is of no use.
  await readSome(first.response.body, options.maxErrorBodyBytes);
  const answer = await options.authenticator.answer(
    target,
    { authorization, headers: first.response.headers },
    request.signal === undefined ? {} : { signal: request.signal },
  );
  const second = await follow(options, { target, request, authorization: answer });
  return expectSuccess(options, { target, request, authorization: answer }, second);
}

interface Hop {
  readonly target: AuthTarget;
  readonly request: RegistryRequest;
  readonly authorization: Authorization | undefined;
  readonly anonymous?: true;
}

interface Answer {
  readonly response: TransportResponse;
  readonly url: URL;
  /** No redirect led to another origin, not even for a moment. */
  readonly isHome: boolean;
}

/** Only the registry's own 401 is answered: one from a redirect's target would get the registry's secrets. */
function isChallenge({ response, isHome }: Answer): boolean {
  return response.status === 401 && isHome;
}

async function follow(options: SessionOptions, hop: Hop): Promise<Answer> {
  const { target, request } = hop;
  let url = request.url;
  let isHome = true;
  for (let redirects = 0; ; redirects += 1) {
    // Whoever was led elsewhere comes back as anybody: the way back is chosen there (CVE-2024-45336).
    isHome = isHome && url.origin === target.host.base.origin;
    const response = await sendHop(options, { ...hop, authorization: isHome ? hop.authorization : undefined }, url);
    if (!isRedirect(response.status) || request.isWrite) return { response, url, isHome };
    // A short text as a rule; read, it leaves the connection usable for the next blob.
    await readSome(response.body, options.maxErrorBodyBytes);
    if (redirects === options.maxRedirects) {
      const text = `${request.url.origin} redirects more than ${options.maxRedirects} times`;
      throw new RegistryError('ERR_RKT_REGISTRY_REDIRECT_REFUSED', text, {
        origin: request.url.origin,
        reference: target.label,
      });
    }
    url = followRedirect(url, header(response.headers, 'location'), { allowHttp: target.host.allowHttp });
  }
}

function sendHop(options: SessionOptions, hop: Hop, url: URL): Promise<TransportResponse> {
  const { target, request, authorization, anonymous } = hop;
  const home = url.origin === target.host.base.origin;
  return options.transport({
    method: request.method,
    url,
    headers: {
      'user-agent': options.userAgent,
      'accept-encoding': 'identity',
      ...request.headers,
      ...(authorization === undefined ? {} : { authorization: authorization.value }),
    },
    ...(request.body === undefined ? {} : { body: request.body }),
    verifyTls: target.host.verifyTls || !home,
    ...(anonymous === undefined ? {} : { anonymous }),
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  });
}

const READ_SUCCESS: ReadonlySet<number> = new Set([200, 206]);
const WRITE_SUCCESS: ReadonlySet<number> = new Set([200, 201, 202, 204]);

async function expectSuccess(options: SessionOptions, hop: Hop, answer: Answer): Promise<TransportResponse> {
  const { target, request, authorization } = hop;
  const { response, url, isHome } = answer;
  if ((request.isWrite ? WRITE_SUCCESS : READ_SUCCESS).has(response.status)) return response;
  const body = await readSome(response.body, options.maxErrorBodyBytes);
  const sent = isHome ? authorization : undefined;
  throw statusError({ target, url, response, body, authorization: sent, now: options.now() });
}
