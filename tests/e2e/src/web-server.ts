// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { Certificates } from './certificates.ts';

/** Files on a web server: with entity tags and ranges, as any web server has them. */
export interface WebServer extends AsyncDisposable {
  /** By path and query. */
  readonly files: Map<string, Uint8Array>;
  /** `GET /app.aci bytes=100-` */
  readonly requests: string[];
  /** The next body is cut off after so many bytes, and whoever asks then is not answered. */
  cutAfter(bytes: number): void;
}

export interface WebServerOptions {
  readonly certificates: Certificates;
  /** Of 127.0.0.1. */
  readonly port: number;
}

export async function startWebServer({ certificates, port }: WebServerOptions): Promise<WebServer> {
  const files = new Map<string, Uint8Array>();
  const requests: string[] = [];
  let cut: number | undefined;
  const { key, cert } = certificates.server;
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
    const { url = '', headers } = request;
    requests.push([request.method, url, headers.range].filter((part) => part !== undefined).join(' '));
    const bytes = files.get(url);
    if (cut === 0) return void request.socket.destroy();
    if (bytes === undefined) return void response.writeHead(404).end();
    const etag = `"${createHash('sha256').update(bytes).digest('hex')}"`;
    if (headers['if-none-match'] === etag) return void response.writeHead(304, { etag }).end();
    const from = headers['if-range'] === etag ? Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0) : 0;
    const range = from === 0 ? {} : { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
    response.writeHead(from === 0 ? 200 : 206, { etag, 'content-length': bytes.length - from, ...range });
    if (cut === undefined || bytes.length - from <= cut) return void response.end(bytes.subarray(from));
    const end = from + cut;
    cut = 0;
    response.write(bytes.subarray(from, end), () => setTimeout(() => response.destroy(), 100));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  return {
    files,
    requests,
    cutAfter: (bytes) => {
      cut = bytes === Number.POSITIVE_INFINITY ? undefined : bytes;
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}
