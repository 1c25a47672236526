// SPDX-License-Identifier: Apache-2.0
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { Digest } from '@rkt/refparse';
import type { Answer } from './answer.ts';
import { createGate, errorAnswer, type TestAuth } from './auth.ts';
import { type BlobContent, type Content, createContent } from './content.ts';
import { bodyFault, createFaultScript, type Fault, type FaultAction, strike } from './faults.ts';
import { type BuiltImage, type PlacedBlob, putBlob, putImage, type TestImage } from './image-builder.ts';
import { type AddLayoutOptions, addLayout } from './layout.ts';
import { createPushRoutes } from './pushes.ts';
import { createRouter, type Router } from './router.ts';
import { type BuiltSchema1Image, putSchema1Image, type TestSchema1Image } from './schema1-image.ts';

export interface TestRegistryOptions {
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** @default 0, a free one */
  readonly port?: number;
  readonly auth?: TestAuth;
  /** Without it, clients have to look for the tag `sha256-<hex>`. @default true */
  readonly referrers?: boolean;
  /** Serves https with this key and certificate (PEM). */
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** A request as it arrived. */
export interface LoggedRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The client's port: equal for requests over one connection. */
  readonly clientPort: number | undefined;
}

/** A registry on a socket: the pull and push parts of the OCI distribution specification, and scripted faults. */
export interface TestRegistry extends AsyncDisposable {
  /** `http://127.0.0.1:40001` */
  readonly origin: string;
  /** `127.0.0.1:40001`, the domain of references. */
  readonly domain: string;
  readonly port: number;
  /** All requests so far, in order of arrival. */
  readonly requests: readonly LoggedRequest[];
  /** Stores a blob, or refers to a file that stays where it is. The digest is computed. */
  putBlob(repository: string, content: BlobContent, options?: { readonly algorithm?: string }): Promise<PlacedBlob>;
  /** Stores any bytes as a manifest, valid or not, and tags them. */
  putManifest(
    repository: string,
    bytes: Uint8Array,
    options: { readonly mediaType: string; readonly tag?: string },
  ): Digest;
  /** Stores a whole image. */
  putImage(name: { readonly repository: string; readonly tag?: string }, image: TestImage): Promise<BuiltImage>;
  /** Stores a whole image with a manifest of Docker's schema 1, which is served under the digest of its payload. */
  putSchema1Image(
    name: { readonly repository: string; readonly tag?: string },
    image: TestSchema1Image,
  ): Promise<BuiltSchema1Image>;
  /** Serves an image of an OCI image layout from its files. Resolves with the manifest's digest. */
  addLayout(directory: string, options: AddLayoutOptions): Promise<Digest>;
  /** Scripts a fault for requests to come. */
  fail(fault: Fault): void;
  clearFaults(): void;
  clearRequests(): void;
  close(): Promise<void>;
}

/**
 * Starts a registry.
 *
 * @example
 * await using server = await startTestRegistry();
 * await server.addLayout('/images/redis', { repository: 'library/redis', tag: 'latest' });
 */
export async function startTestRegistry(options: TestRegistryOptions = {}): Promise<TestRegistry> {
  const content = createContent();
  const requests: LoggedRequest[] = [];
  const faults = createFaultScript();
  const pushes = createPushRoutes(content);
  const gate = createGate(options.auth, () => origin);
  const router = createRouter({ content, pushes, gate, referrers: options.referrers ?? true });
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    requests.push({
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      clientPort: request.socket.remotePort,
    });
    const action = faults.take(request.method ?? '', request.url ?? '');
    if (action !== undefined && strike(action, request, response)) return;
    serve(router, request, response, action).catch(() => response.destroy());
  };
  const server = options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener);
  await listen(server, options.port ?? 0, options.host ?? '127.0.0.1');
  const { port } = server.address() as AddressInfo;
  const host = options.host ?? '127.0.0.1';
  const domain = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const origin = `${options.tls === undefined ? 'http' : 'https'}://${domain}`;
  const close = async (): Promise<void> => {
    await stop(server);
    await pushes.close();
  };
  return {
    origin,
    domain,
    port,
    requests,
    ...contentMethods(content),
    ...scriptMethods(faults, requests),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function contentMethods(
  content: Content,
): Pick<TestRegistry, 'putBlob' | 'putManifest' | 'putImage' | 'putSchema1Image' | 'addLayout'> {
  return {
    putBlob: (repository, blob, options = {}) => putBlob(content, repository, blob, options.algorithm),
    putManifest: (repository, bytes, { mediaType, tag }) => content.putManifest(repository, { mediaType, bytes }, tag),
    putImage: (name, image) => putImage(content, name, image),
    putSchema1Image: (name, image) => putSchema1Image(content, name, image),
    addLayout: (directory, options) => addLayout(content, directory, options),
  };
}

function scriptMethods(
  faults: ReturnType<typeof createFaultScript>,
  requests: LoggedRequest[],
): Pick<TestRegistry, 'fail' | 'clearFaults' | 'clearRequests'> {
  return {
    fail: (fault) => faults.add(fault),
    clearFaults: () => faults.clear(),
    clearRequests: () => {
      requests.length = 0;
    },
  };
}

async function serve(
  router: Router,
  request: IncomingMessage,
  response: ServerResponse,
  fault: FaultAction | undefined,
): Promise<void> {
  if (fault?.kind === 'ignore-range') delete request.headers.range;
  let answer: Answer;
  try {
    answer = await router.route(request);
  } catch (error) {
    answer = errorAnswer(500, 'UNKNOWN', error instanceof Error ? error.message : String(error));
  }
  // A body nobody read would be taken for the next request.
  request.resume();
  const headers = withFaultyHeaders({ 'docker-distribution-api-version': 'registry/2.0', ...answer.headers }, fault);
  if (typeof answer.body !== 'function') {
    const bytes = Buffer.from(answer.body ?? '');
    // RFC 9110, section 8.6: a 204 has no Content-Length.
    const length = answer.status === 204 ? {} : { 'content-length': String(bytes.length) };
    response.writeHead(answer.status, { ...length, ...headers });
    if (request.method === 'HEAD') response.end();
    else await sendBytes(bytes, response, fault);
    return;
  }
  response.writeHead(answer.status, headers);
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  const through = bodyFault(fault, response);
  if (through === undefined) await pipeline(answer.body(), response);
  else await pipeline(answer.body(), through, response);
}

async function sendBytes(bytes: Buffer, response: ServerResponse, fault: FaultAction | undefined): Promise<void> {
  const through = bodyFault(fault, response);
  if (through === undefined) response.end(bytes);
  else await pipeline([bytes], through, response);
}

function withFaultyHeaders(headers: Record<string, string>, fault: FaultAction | undefined): Record<string, string> {
  if (fault?.kind !== 'headers') return headers;
  return Object.fromEntries(Object.entries({ ...headers, ...fault.headers }).filter(([, value]) => value !== ''));
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error === undefined || !server.listening ? resolve() : reject(error)));
    server.closeAllConnections();
  });
}
