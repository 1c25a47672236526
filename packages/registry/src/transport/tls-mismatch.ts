// SPDX-License-Identifier: Apache-2.0
import { errorCode } from '../error-code.ts';
import { RegistryError, type RegistryErrorCode } from '../errors.ts';
import { isLoopback } from '../protocol/addresses.ts';
import { type SharedWork, shareWork } from '../shared-work.ts';
import type { Transport, TransportRequest, TransportResponse } from './transport.ts';

/** What was asked over plain HTTP speaks TLS: `origin` is to be asked again, over https. */
export class TlsExpectedError extends RegistryError {
  constructor(origin: string, cause: unknown) {
    super('ERR_RKT_REGISTRY_TLS', `${origin} was asked over plain HTTP and speaks TLS`, { origin, cause });
  }
}

/** How servers of TLS fail a plain request, where they do not answer it with status 400. */
const SUSPICIOUS: ReadonlySet<RegistryErrorCode> = new Set<RegistryErrorCode>([
  'ERR_RKT_REGISTRY_TRUNCATED',
  'ERR_RKT_REGISTRY_PROTOCOL',
]);
const HANDSHAKE_MS = 5000;

/**
 * Loopback is asked over plain HTTP, and some registries there speak TLS. A transport that rejects with TlsExpectedError
 * then: where the first request of an origin fails as it would, one handshake shows whether that is so. It is never the
 * other way about: what fails over TLS fails. Requests that fail at the same time share the handshake, and none waits for
 * it once it is aborted.
 */
export function noticingTls(transport: Transport): Transport {
  const known = new Map<string, boolean>();
  const probes = new Map<string, SharedWork<boolean>>();
  const isTls = async (request: TransportRequest): Promise<boolean> => {
    const { origin } = request.url;
    const answer = known.get(origin);
    if (answer !== undefined) return answer;
    let probe = probes.get(origin);
    if (probe === undefined || probe.abandoned) {
      probe = shareWork((signal) => speaksTls(transport, request, signal));
      probes.set(origin, probe);
    }
    const found = await probe.join(request.signal);
    known.set(origin, found);
    probes.delete(origin);
    return found;
  };
  const refuseTls = async (request: TransportRequest, cause: unknown): Promise<void> => {
    if (await isTls(request)) throw new TlsExpectedError(request.url.origin, cause);
  };
  return async (request) => {
    const { url, signal } = request;
    if (url.protocol !== 'http:' || !isLoopback(url)) return transport(request);
    let response: TransportResponse;
    try {
      response = await transport(request);
    } catch (error) {
      if (error instanceof RegistryError && SUSPICIOUS.has(error.code)) await refuseTls(request, error);
      signal?.throwIfAborted();
      throw error;
    }
    if (response.status === 400) {
      await refuseTls(request, undefined).catch((error: unknown) => {
        response.body.cancel();
        throw error;
      });
    }
    // It answers as a server of HTTP does: what fails later has other causes.
    if (!known.has(url.origin)) known.set(url.origin, false);
    return response;
  };
}

/** Whoever completes a handshake, or ends one by its rules, speaks TLS. The certificate is looked at when it counts. */
async function speaksTls(
  transport: Transport,
  { url, headers }: TransportRequest,
  signal: AbortSignal,
): Promise<boolean> {
  const target = new URL('/v2/', url);
  target.protocol = 'https:';
  const userAgent = headers['user-agent'];
  try {
    const response = await transport({
      method: 'GET',
      url: target,
      headers: userAgent === undefined ? {} : { 'user-agent': userAgent },
      verifyTls: false,
      anonymous: true,
      signal: AbortSignal.any([signal, AbortSignal.timeout(HANDSHAKE_MS)]),
    });
    response.body.cancel();
    return true;
  } catch (error) {
    return error instanceof RegistryError && failsAfterHandshake(error.cause);
  }
}

/** An alert, as where a client certificate is demanded, or the end of a connection that had been made. */
function failsAfterHandshake(cause: unknown): boolean {
  const text = cause instanceof Error ? cause.message : '';
  return errorCode(cause) === 'UND_ERR_SOCKET' || /ALERT/.test(errorCode(cause)) || /\balert\b/.test(text);
}
