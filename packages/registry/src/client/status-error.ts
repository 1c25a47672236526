// SPDX-License-Identifier: Apache-2.0
import type { Authorization, AuthTarget } from '../auth/authenticator.ts';
import { type Credential, from, secretsOf, sourceOf } from '../auth/credential.ts';
import { RegistryError, type RegistryErrorCode } from '../errors.ts';
import { parseErrorBody } from '../protocol/error-body.ts';
import { parseRetryAfter } from '../protocol/retry-after.ts';
import { header, type TransportResponse } from '../transport/transport.ts';

/** An answer that is no success. */
export interface FailedAnswer {
  readonly target: AuthTarget;
  /** Where the answer came from, after redirects. */
  readonly url: URL;
  readonly response: TransportResponse;
  readonly body: Uint8Array;
  /** What the request was authorised with, if it was. */
  readonly authorization: Authorization | undefined;
  readonly now: number;
}

const TRANSIENT: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504, 522]);

/** What a status and its body mean, as an error that says what was asked, of whom, and what was answered. */
export function statusError(failed: FailedAnswer): RegistryError {
  const { target, url, response, authorization } = failed;
  const { status } = response;
  const origin = url.origin;
  const reference = target.label;
  const credential = authorization?.credential;
  const secrets = secretsOf(credential, authorization?.value);
  const { code, said } = parseErrorBody(failed.body, header(response.headers, 'content-type'), secrets);
  const retryAfterMs = parseRetryAfter(header(response.headers, 'retry-after'), failed.now);
  // A signed URL that has expired answers 401 or 403; the registry will sign a new one.
  const signedUrl = origin !== target.host.base.origin && (status === 401 || status === 403);
  const context = {
    origin,
    reference,
    status,
    ...(status === 401 || status === 403 ? sourceOf(credential) : {}),
    transient: TRANSIENT.has(status) || signedUrl,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
  const text = `${describe(status, { origin, reference, credential })}${said === undefined ? '' : `: ${said}`}`;
  const wait = retryAfterMs === undefined ? '' : ` (it asks to wait ${Math.ceil(retryAfterMs / 1000)} s)`;
  return new RegistryError(codeOf(status, code), text + wait, context);
}

function codeOf(status: number, code: string | undefined): RegistryErrorCode {
  if (status === 429 || code === 'TOOMANYREQUESTS') return 'ERR_RKT_REGISTRY_RATE_LIMITED';
  if (status === 401) return 'ERR_RKT_REGISTRY_UNAUTHORIZED';
  if (status === 403) return 'ERR_RKT_REGISTRY_DENIED';
  if (status === 404) return 'ERR_RKT_REGISTRY_NOT_FOUND';
  if (status >= 500) return 'ERR_RKT_REGISTRY_SERVER_ERROR';
  return 'ERR_RKT_REGISTRY_PROTOCOL';
}

interface Refusal {
  readonly origin: string;
  readonly reference: string;
  readonly credential: Credential | undefined;
}

function describe(status: number, { origin, reference, credential }: Refusal): string {
  const used = credential === undefined ? '' : ` with the credentials${from(credential)}`;
  switch (status) {
    case 401:
      return `${origin} refused access to ${reference}${used}: the repository does not exist or needs other credentials`;
    case 403:
      return `${origin} denied access to ${reference}${used}`;
    case 404:
      return `${reference} not found at ${origin}`;
    case 429:
      return `${origin} limits the rate of requests for ${reference}`;
    default:
      return `${origin} answered ${status} for ${reference}`;
  }
}
