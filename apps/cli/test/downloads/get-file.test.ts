// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RegistryError, type TransportRequest, type TransportResponse } from '@rkt/registry';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDownloads } from '../../src/downloads/create-downloads.ts';
import type { DownloadEvent } from '../../src/downloads/download-event.ts';

const url = new URL('https://example.com/app.aci?sig=secret');
const content = Buffer.from(Array.from({ length: 50_000 }, (_, index) => index % 251));
const DATE = 'Thu, 01 Jan 2026 00:00:00 GMT';
const HOUR = 3600_000;

interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** The connection breaks after the body. */
  readonly breaks?: true;
}

let dir: string;
let requests: TransportRequest[];
let now: number;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-cli-downloads-'));
  requests = [];
  now = Date.now();
});
afterEach(() => rmSync(dir, { recursive: true }));

function respond({ status = 200, headers = {}, body = new Uint8Array(), breaks }: Reply): TransportResponse {
  return {
    status,
    headers,
    body: {
      cancel: () => undefined,
      async *[Symbol.asyncIterator]() {
        for (let at = 0; at < body.length; at += 1000) yield body.subarray(at, at + 1000);
        if (breaks) throw new RegistryError('ERR_RKT_REGISTRY_TRUNCATED', 'it broke', { transient: true });
      },
    },
  };
}

interface Get {
  readonly etag?: string;
  readonly signal?: AbortSignal;
  readonly events?: DownloadEvent[];
  readonly maxFileBytes?: number;
}

/** Asks a server that gives these replies, one after the other; gives the bytes, or `unchanged`. */
async function get(replies: readonly (Reply | (() => Reply))[], options: Get = {}): Promise<Buffer | 'unchanged'> {
  let at = 0;
  const { etag, signal = new AbortController().signal, events = [], maxFileBytes = 100_000 } = options;
  await using downloads = createDownloads({
    transport: async (request) => {
      requests.push(request);
      const reply = replies[at++] ?? { status: 404 };
      return respond(typeof reply === 'function' ? reply() : reply);
    },
    credentials: new Map(),
    verifyTls: true,
    userAgent: 'rkt/test',
    now: () => now,
    directory: dir,
    maxFileBytes,
    retryBaseMs: 1,
    close: async () => undefined,
  });
  const shared = { signal, allowHttp: false, httpFlag: '--x', etag };
  const answer = await downloads.getFile(url, { ...shared, onProgress: (event) => events.push(event) });
  if (answer.kind === 'unchanged') return 'unchanged';
  await using file = answer;
  return readFileSync(file.path);
}

const strong = { etag: '"v1"' };
const half: Reply = { headers: strong, body: content.subarray(0, 20_000), breaks: true };

function rest(from: number, headers: Readonly<Record<string, string>> = {}): Reply {
  const range = `bytes ${from}-${content.length - 1}/${content.length}`;
  return { status: 206, headers: { ...strong, 'content-range': range, ...headers }, body: content.subarray(from) };
}

const otherRest: Reply = { ...rest(20_000, { etag: '"v2"' }), body: Buffer.alloc(30_000) };

function asked(): readonly (readonly unknown[])[] {
  return requests.map(({ headers }) => [headers['range'], headers['if-range']]);
}

describe('a download', () => {
  it('goes on where it was interrupted, with what the server calls the same', async () => {
    expect(await get([half, rest(20_000)])).toEqual(content);
    expect(asked()).toEqual([
      [undefined, undefined],
      ['bytes=20000-', '"v1"'],
    ]);
    expect(readdirSync(dir)).toEqual([]);
  });

  it('goes on in another process, after whatever failed', async () => {
    const broken = Array.from({ length: 5 }, (_, index) =>
      index === 0 ? half : { ...rest(20_000), body: new Uint8Array(), breaks: true as const },
    );
    await expect(get(broken)).rejects.toMatchObject({ code: 'ERR_RKT_REGISTRY_TRUNCATED' });
    expect(readdirSync(dir)).toHaveLength(1);
    requests = [];
    expect(await get([rest(20_000)])).toEqual(content);
    expect(asked()).toEqual([['bytes=20000-', '"v1"']]);
    expect(readdirSync(dir)).toEqual([]);
  });

  it('that is cancelled leaves what it has', async () => {
    const controller = new AbortController();
    const reason = new Error('interrupted');
    const cancelled = get(
      [
        { ...half, breaks: true },
        () => {
          throw new Error('asked again');
        },
      ],
      {
        signal: controller.signal,
        events: new Proxy<DownloadEvent[]>([], {
          get: (target, key, receiver) => {
            if (key === 'push') controller.abort(reason);
            return Reflect.get(target, key, receiver);
          },
        }),
      },
    );
    await expect(cancelled).rejects.toBe(reason);
    expect(await get([rest(20_000)])).toEqual(content);
  });

  it.each<[string, readonly Reply[]]>([
    ['has something else by now', [half, { headers: { etag: '"v2"' }, body: content }]],
    ['has no such range', [half, { status: 416 }, { headers: strong, body: content }]],
    ['sends another range', [half, rest(10_000), { headers: strong, body: content }]],
    [
      'sends a range of less',
      [half, rest(20_000, { 'content-range': 'bytes 20000-30000/50000' }), { headers: strong, body: content }],
    ],
    ['knows no If-Range', [half, otherRest, { headers: { etag: '"v2"' }, body: content }]],
    ['does not say what it is', [{ ...half, headers: { etag: 'W/"v1"' } }, { body: content }]],
  ])('begins anew where the server %s', async (_what, replies) => {
    expect(await get(replies)).toEqual(content);
  });

  it('goes on by date where there is no entity tag', async () => {
    const dated = { 'last-modified': DATE, date: 'Thu, 01 Jan 2026 00:00:01 GMT' };
    expect(await get([{ ...half, headers: dated }, rest(20_000)])).toEqual(content);
    expect(asked()[1]).toEqual(['bytes=20000-', dated['last-modified']]);
  });

  it('begins anew where it may have changed in the second in which it was sent', async () => {
    const dated = { 'last-modified': DATE, date: DATE };
    expect(await get([{ ...half, headers: dated }, { body: content }])).toEqual(content);
    expect(asked()[1]).toEqual([undefined, undefined]);
  });

  it('is over when the server has nothing new', async () => {
    expect(await get([{ status: 304 }], { etag: '"v1"' })).toBe('unchanged');
    expect(requests[0]?.headers['if-none-match']).toBe('"v1"');
    await expect(get([{ status: 304 }])).rejects.toThrow('bad HTTP status code: 304');
    expect(readdirSync(dir)).toEqual([]);
  });

  it('is tried again while the server is not well, and no longer', async () => {
    expect(await get([{ status: 503 }, { status: 429, headers: { 'retry-after': '0' } }, { body: content }])).toEqual(
      content,
    );
    for (const reply of [{ status: 500, headers: { 'retry-after': '3600' } }, { status: 403 }, { status: 206 }]) {
      requests = [];
      await expect(get([reply])).rejects.toMatchObject({
        code: 'ERR_RKT_CLI_DOWNLOAD',
        message: `cannot fetch "https://example.com/app.aci?(redacted)": bad HTTP status code: ${reply.status}`,
      });
      expect(requests).toHaveLength(1);
    }
  });

  it('is no larger than it may be, whatever the server says', async () => {
    const message = 'cannot fetch "https://example.com/app.aci?(redacted)": it is larger than 100000 bytes';
    const large = Buffer.alloc(200_000);
    for (const headers of [strong, { ...strong, 'content-length': '200000' }, { 'content-length': '1' }]) {
      await expect(get([{ headers, body: large }])).rejects.toMatchObject({ code: 'ERR_RKT_CLI_DOWNLOAD', message });
      expect(readdirSync(dir)).toEqual([]);
    }
  });

  it('says how it comes in', async () => {
    const events: DownloadEvent[] = [];
    const headers = { ...strong, 'content-length': '50000' };
    await get([{ headers, body: content }], { events });
    expect(events[0]).toEqual({ type: 'download:start', what: 'ACI', url: url.href, size: 50_000 });
    expect(events.at(-1)).toEqual({ type: 'download:done', url: url.href });
  });

  it('that nobody has gone on with for a day is removed by the next one', async () => {
    await expect(get([half, { status: 404 }])).rejects.toMatchObject({ code: 'ERR_RKT_CLI_DOWNLOAD' });
    const [left = ''] = readdirSync(dir);
    now += 23 * HOUR;
    await expect(get([{ status: 404 }])).rejects.toThrow();
    expect(readdirSync(dir)).toEqual([left]);
    utimesSync(join(dir, left, 'bytes'), 1, 1);
    requests = [];
    expect(await get([{ body: content }])).toEqual(content);
    expect(asked()).toEqual([[undefined, undefined]]);
    expect(readdirSync(dir)).toEqual([]);
  });

  it('of several at once, one goes on and the others begin anew', async () => {
    await expect(get([half, { status: 404 }])).rejects.toThrow();
    requests = [];
    const reply = (): Reply =>
      requests.at(-1)?.headers['range'] === undefined ? { headers: strong, body: content } : rest(20_000);
    expect(await Promise.all([get([reply]), get([reply])])).toEqual([content, content]);
    expect(asked().filter(([range]) => range !== undefined)).toHaveLength(1);
  });
});
