// SPDX-License-Identifier: Apache-2.0
import { RegistryError, type TransportRequest, type TransportResponse } from '@rkt/registry';
import type { Libraries } from '../../src/wiring/libraries.ts';
import { openDownloads } from '../../src/wiring/open-downloads.ts';

/** What a server answers; a body that ends in an error breaks off there. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Bytes of the body that arrive before the connection breaks. */
  readonly breaksAfter?: number;
}

export interface FakeWeb {
  /** To be given to rktWith. */
  readonly libraries: Pick<Libraries, 'openDownloads'>;
  /** Requests so far: `GET https://...`, and their header fields. */
  readonly requests: TransportRequest[];
  /** URLs that were asked for, and forgotten with this. */
  urls(): readonly string[];
  /** By URL in full. What is not there is 404; hosts that nobody has named cannot be reached. */
  serve(url: string, answer: Answer | ((request: TransportRequest) => Answer)): void;
  /** A file with entity tag and ranges, as web servers have them. */
  serveFile(url: string, bytes: Uint8Array, options?: { readonly etag?: string; readonly maxAge?: number }): void;
}

/** Servers that are not there: what they are asked for is answered in this process. */
export function fakeWeb(): FakeWeb {
  const answers = new Map<string, Answer | ((request: TransportRequest) => Answer)>();
  const requests: TransportRequest[] = [];
  const send = async (request: TransportRequest): Promise<TransportResponse> => {
    requests.push(request);
    request.signal?.throwIfAborted();
    const { origin, href } = request.url;
    if (![...answers.keys()].some((url) => new URL(url).origin === origin)) {
      throw new RegistryError('ERR_RKT_REGISTRY_UNREACHABLE', `${origin}: the host name is unknown`, { origin });
    }
    const found = answers.get(href) ?? { status: 404 };
    return response(typeof found === 'function' ? found(request) : found, origin);
  };
  const serve: FakeWeb['serve'] = (url, answer) => void answers.set(new URL(url).href, answer);
  return {
    libraries: {
      openDownloads: async (settings) => openDownloads(settings, { send, close: async () => undefined }),
    },
    requests,
    urls: () => requests.splice(0).map(({ url }) => url.href),
    serve,
    serveFile: (url, bytes, { etag = '"1"', maxAge = 0 } = {}) =>
      serve(url, ({ headers }) => {
        const shared = { etag, 'cache-control': `max-age=${maxAge}`, 'accept-ranges': 'bytes' };
        if (headers['if-none-match'] === etag) return { status: 304, headers: shared };
        const from = Number(/^bytes=(\d+)-$/.exec(headers['range'] ?? '')?.[1] ?? 0);
        if (from === 0 || headers['if-range'] !== etag) return { headers: shared, body: bytes };
        const range = { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
        return { status: 206, headers: { ...shared, ...range }, body: bytes.subarray(from) };
      }),
  };
}

function response({ status = 200, headers = {}, body = '', breaksAfter }: Answer, origin: string): TransportResponse {
  const bytes = Buffer.from(body);
  const sent = bytes.subarray(0, breaksAfter);
  return {
    status,
    headers: { 'content-length': String(bytes.length), ...headers },
    body: {
      cancel: () => undefined,
      async *[Symbol.asyncIterator]() {
        for (let at = 0; at < sent.length; at += 1000) yield Uint8Array.from(sent.subarray(at, at + 1000));
        if (breaksAfter === undefined) return;
        throw new RegistryError('ERR_RKT_REGISTRY_TRUNCATED', `${origin}: connection closed early`, {
          transient: true,
        });
      },
    },
  };
}
