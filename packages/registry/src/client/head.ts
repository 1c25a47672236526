// SPDX-License-Identifier: Apache-2.0
import { RegistryError } from '../errors.ts';
import { readSome } from '../transport/body.ts';
import type { ResponseHeaders, TransportResponse } from '../transport/transport.ts';

/** Other failures of a HEAD request say nothing about GET: some servers do not implement it or answer without details. */
const HEAD_IS_FINAL: ReadonlySet<string> = new Set([
  'ERR_RKT_REGISTRY_NOT_FOUND',
  'ERR_RKT_REGISTRY_UNAUTHORIZED',
  'ERR_RKT_REGISTRY_RATE_LIMITED',
  'ERR_RKT_REGISTRY_UNREACHABLE',
  'ERR_RKT_REGISTRY_TLS',
  'ERR_RKT_REGISTRY_TIMEOUT',
  'ERR_RKT_REGISTRY_REALM_REFUSED',
  'ERR_RKT_REGISTRY_CREDENTIALS_INVALID',
  'ERR_RKT_REGISTRY_CREDENTIAL_HELPER',
]);

/** The header fields of the answer to a HEAD request; undefined when GET has to be asked. */
export async function askHead(send: () => Promise<TransportResponse>): Promise<ResponseHeaders | undefined> {
  let response: TransportResponse;
  try {
    response = await send();
  } catch (error) {
    if (!(error instanceof RegistryError) || HEAD_IS_FINAL.has(error.code)) throw error;
    return undefined;
  }
  await readSome(response.body, 0);
  return response.headers;
}
