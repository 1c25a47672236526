// SPDX-License-Identifier: Apache-2.0
import type { Socket } from 'node:net';
import type { Agent, buildConnector, Dispatcher } from 'undici';
import { RegistryError } from '../errors.ts';
import { isLoopback } from '../protocol/addresses.ts';
import { BodyQueue } from './body.ts';
import { networkError } from './network-error.ts';
import type { Transport, TransportRequest, TransportResponse } from './transport.ts';

/** Proxy servers, as the environment or a configuration names them. */
export interface ProxySettings {
  /** `http://[user:password@]host:port`; `http://` may be left out. */
  readonly httpProxy?: string;
  readonly httpsProxy?: string;
  /** Hosts not to use a proxy for, as in `NO_PROXY`. */
  readonly noProxy?: string;
}

export interface UndiciTransportOptions {
  /**
   * Connections per origin.
   * @default 6
   */
  readonly connections?: number;
  /** @default 30000 */
  readonly connectTimeoutMs?: number;
  /**
   * From the request to the end of the header fields.
   * @default 60000
   */
  readonly headersTimeoutMs?: number;
  /**
   * Between two chunks of a body; there is no limit for a whole body.
   * @default 60000
   */
  readonly idleTimeoutMs?: number;
  /** Certificate authorities to trust besides the built-in ones, as PEM. */
  readonly ca?: readonly string[];
  /**
   * Never used for loopback, as in Go's and Docker's clients.
   * @default no proxy; see `proxyFromEnvironment`
   */
  readonly proxy?: ProxySettings;
}

/** A transport and the connections it keeps. */
export interface ClosableTransport {
  readonly send: Transport;
  close(): Promise<void>;
}

const MAX_HEADER_BYTES = 65_536;

/**
 * The transport of production: HTTP/1.1 with keep-alive on undici, which is loaded with the first request. Nothing is
 * decoded and no redirect followed.
 */
export function undiciTransport(options: UndiciTransportOptions = {}): ClosableTransport {
  const agents = new Map<string, Promise<Dispatcher>>();
  const sockets = new Set<Socket>();
  const agentFor = ({ url, verifyTls }: TransportRequest): Promise<Dispatcher> => {
    // Plain http is good enough for loopback because it stays on this machine: no proxy gets to see it.
    const proxy = isLoopback(url) ? undefined : options.proxy;
    const key = `${verifyTls} ${proxy !== undefined}`;
    const known = agents.get(key);
    if (known !== undefined) return known;
    const created = createAgent(options, { verifyTls, proxy, sockets });
    agents.set(key, created);
    return created;
  };
  return {
    send: async (request) => {
      request.signal?.throwIfAborted();
      return dispatch(await agentFor(request), request);
    },
    close: async () => {
      const open = [...agents.values()];
      agents.clear();
      // An agent that could not be made has told whoever asked for it, and has nothing to close.
      await Promise.all(open.map(async (agent) => (await agent.catch(() => undefined))?.destroy()));
      for (const socket of sockets) socket.destroy();
    },
  };
}

/**
 * Proxy settings from `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` of `env`, lower-case names first. Undefined when no
 * proxy is named.
 */
export function proxyFromEnvironment(env: Readonly<Record<string, string | undefined>>): ProxySettings | undefined {
  const read = (name: string): string | undefined => {
    const value = env[name.toLowerCase()] ?? env[name];
    return value === undefined || value === '' ? undefined : value;
  };
  const httpProxy = read('HTTP_PROXY');
  const httpsProxy = read('HTTPS_PROXY');
  if (httpProxy === undefined && httpsProxy === undefined) return undefined;
  const noProxy = read('NO_PROXY');
  return {
    ...(httpProxy === undefined ? {} : { httpProxy }),
    ...(httpsProxy === undefined ? {} : { httpsProxy }),
    ...(noProxy === undefined ? {} : { noProxy }),
  };
}

interface AgentNeeds {
  readonly verifyTls: boolean;
  readonly proxy: ProxySettings | undefined;
  /** Where open sockets are noted: undici forgets those that are still connecting. */
  readonly sockets: Set<Socket>;
}

async function createAgent(
  options: UndiciTransportOptions,
  { verifyTls, proxy, sockets }: AgentNeeds,
): Promise<Dispatcher> {
  const [undici, ca] = await Promise.all([import('undici'), trustedRoots(options.ca)]);
  const tls = { rejectUnauthorized: verifyTls, ...(ca === undefined ? {} : { ca }) };
  const settings: Agent.Options = {
    connections: options.connections ?? 6,
    pipelining: 1,
    allowH2: false,
    headersTimeout: options.headersTimeoutMs ?? 60_000,
    bodyTimeout: options.idleTimeoutMs ?? 60_000,
    maxHeaderSize: MAX_HEADER_BYTES,
    connect: { ...tls, timeout: options.connectTimeoutMs ?? 30_000 },
  };
  if (proxy === undefined) {
    const connect = undici.buildConnector({ ...tls, timeout: options.connectTimeoutMs ?? 30_000 });
    return new undici.Agent({ ...settings, connect: noting(sockets, connect) });
  }
  // Empty strings, not absent ones: undici reads process.env for what is left out.
  return new undici.EnvHttpProxyAgent({
    ...settings,
    requestTls: tls,
    httpProxy: proxyUrl(proxy.httpProxy),
    httpsProxy: proxyUrl(proxy.httpsProxy),
    noProxy: proxy.noProxy ?? '',
  });
}

/**
 * `proxy.example:3128` is http, as everywhere else that reads these variables.
 * @throws {RegistryError} ERR_RKT_REGISTRY_UNREACHABLE without the URL, which may hold a password
 */
function proxyUrl(text: string | undefined): string {
  if (text === undefined || text === '') return '';
  const url = text.includes('://') ? text : `http://${text}`;
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url;
  throw new RegistryError('ERR_RKT_REGISTRY_UNREACHABLE', 'the proxy that is configured is no http or https URL');
}

function noting(sockets: Set<Socket>, connect: buildConnector.connector): buildConnector.connector {
  return (target, done) => {
    const socket: unknown = connect(target, done);
    if (!isSocket(socket)) return;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  };
}

function isSocket(value: unknown): value is Socket {
  return typeof value === 'object' && value !== null && 'destroy' in value && 'once' in value;
}

async function trustedRoots(extra: readonly string[] | undefined): Promise<string[] | undefined> {
  if (extra === undefined || extra.length === 0) return undefined;
  const tls = await import('node:tls');
  return [...tls.rootCertificates, ...extra];
}

function dispatch(agent: Dispatcher, request: TransportRequest): Promise<TransportResponse> {
  const { url, signal } = request;
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let body: BodyQueue | undefined;
    const settle = (): void => signal?.removeEventListener('abort', abort);
    const fail = (error: unknown): void => {
      settle();
      const reason = signal?.aborted === true ? signal.reason : networkError(error, url.origin);
      reject(reason);
      body?.fail(reason);
    };
    const abort = (): void => {
      controller?.abort(new Error('aborted'));
      fail(signal?.reason);
    };
    signal?.addEventListener('abort', abort, { once: true });
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: (started) => {
        controller = started;
        if (signal?.aborted === true) started.abort(new Error('aborted'));
      },
      onResponseStart: (started, status, headers) => {
        if (status < 200) return;
        body = new BodyQueue({
          pause: () => started.pause(),
          resume: () => started.resume(),
          abort: () => {
            settle();
            started.abort(new Error('cancelled'));
          },
        });
        resolve({ status, headers, body });
      },
      onResponseData: (_started, chunk) => body?.push(chunk),
      onResponseEnd: () => {
        settle();
        body?.end();
      },
      onResponseError: (_started, error) => fail(error),
    };
    agent.dispatch(
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method: request.method,
        headers: { ...request.headers },
        ...(request.body === undefined ? {} : { body: request.body }),
      },
      handler,
    );
  });
}
