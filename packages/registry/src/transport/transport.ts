// SPDX-License-Identifier: Apache-2.0

/** One HTTP request. Redirects are not followed and nothing is decoded by a transport. */
export interface TransportRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** False only where the host entry says `skip-tls-verify`. */
  readonly verifyTls: boolean;
  /** No certificate of this client is shown, even if there is one for the origin. */
  readonly anonymous?: true;
  readonly signal?: AbortSignal;
}

/** Names in lower case; fields that came more than once are arrays. */
export type ResponseHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The raw bytes of a response. Leaving a loop early, or `cancel`, ends the transfer. */
export interface ResponseBody extends AsyncIterable<Uint8Array> {
  /** Nobody but the reader has the chunks: their memory may be taken from them. @default false */
  readonly chunksAreOwned?: boolean;
  cancel(): void;
}

export interface TransportResponse {
  readonly status: number;
  readonly headers: ResponseHeaders;
  readonly body: ResponseBody;
}

/** Sends one request; the port a test or another HTTP client can implement. Rejects with RegistryError. */
export type Transport = (request: TransportRequest) => Promise<TransportResponse>;

/** The first value of a response header, or undefined. */
export function header(headers: ResponseHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

/** All values of a response header. */
export function headerValues(headers: ResponseHeaders, name: string): readonly string[] {
  const value = headers[name];
  return typeof value === 'string' ? [value] : (value ?? []);
}
