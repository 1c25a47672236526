// SPDX-License-Identifier: Apache-2.0
import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { Agent, buildConnector, Dispatcher } from 'undici';
import { BodyQueue } from './body.ts';
import { networkError } from './network-error.ts';
import { type ProxySettings, proxyAdvice, proxyFor } from './proxy.ts';
import type { TlsLookup, TlsSettings } from './tls-settings.ts';
import type { Transport, TransportRequest, TransportResponse } from './transport.ts';
import { loadConnectionParts, loadProxyParts } from './undici-parts.ts';

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
  /**
   * Certificate authorities to trust besides the built-in ones, as PEM. A function is called once, before the first
   * https connection: `readSystemCertificates`.
   */
  readonly ca?: readonly string[] | (() => Promise<readonly string[]>);
  /**
   * Further authorities and the client certificate of single origins, asked for once per origin: `readCertsDirectories`.
   * They hold for that origin alone: the target of a redirect is another one, and so is a token server.
   */
  readonly tls?: TlsLookup;
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
  const trust = createTrust(options);
  const agentFor = async ({ url, verifyTls, anonymous }: TransportRequest): Promise<Dispatcher> => {
    const found = url.protocol === 'https:' ? await trust.settings(url.origin) : undefined;
    const own = anonymous === true ? authoritiesOf(found) : found;
    const proxy = proxyFor(url, options.proxy);
    // An origin with a certificate for this client has an agent of its own, so that no other origin gets to see it.
    const key = `${verifyTls} ${anonymous === true} ${proxy?.href ?? ''} ${own === undefined ? url.protocol : url.origin}`;
    const known = agents.get(key);
    if (known !== undefined) return known;
    const created = createAgent(options, { verifyTls, proxy, sockets, contexts: contextsOf(url, trust, own) });
    agents.set(key, created);
    return created;
  };
  return {
    send: async (request) => {
      request.signal?.throwIfAborted();
      const agent = await agentFor(request);
      // What is aborted meanwhile has told its listeners, and undici asks for it once it is connected.
      request.signal?.throwIfAborted();
      const headersTimeoutMs = headersTimeoutOf(options);
      return dispatch(agent, request, { headersTimeoutMs, advice: proxyAdvice(request.url, options.proxy) });
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

function authoritiesOf(settings: TlsSettings | undefined): TlsSettings | undefined {
  return settings?.ca === undefined ? undefined : { ca: settings.ca };
}

/** The authorities of every connection, and what single origins have beyond them. Everything is read once. */
interface Trust {
  settings(origin: string): Promise<TlsSettings | undefined>;
  context(own?: TlsSettings): Promise<SecureContext>;
}

function createTrust({ ca, tls }: UndiciTransportOptions): Trust {
  const settings = new Map<string, Promise<TlsSettings | undefined>>();
  let authorities: Promise<readonly string[]> | undefined;
  let common: Promise<SecureContext> | undefined;
  const create = async (own: TlsSettings = {}): Promise<SecureContext> => {
    authorities ??= Promise.resolve(typeof ca === 'function' ? ca() : (ca ?? []));
    const [{ createSecureContext, getCACertificates }, given] = await Promise.all([import('node:tls'), authorities]);
    const further = [...given, ...(own.ca ?? [])];
    return createSecureContext({
      ...(further.length === 0 ? {} : { ca: [...getCACertificates('default'), ...further] }),
      ...(own.cert === undefined || own.key === undefined ? {} : { cert: own.cert, key: own.key }),
    });
  };
  return {
    settings: (origin) => {
      const known = settings.get(origin);
      if (known !== undefined || tls === undefined) return known ?? Promise.resolve(undefined);
      const found = Promise.resolve(tls(origin));
      settings.set(origin, found);
      return found;
    },
    context: (own) => {
      if (own !== undefined) return create(own);
      common ??= create();
      return common;
    },
  };
}

/** What is read from the certificates of a machine is read when TLS is spoken, and not before. */
interface Contexts {
  readonly target: () => Promise<SecureContext | undefined>;
  readonly proxy: () => Promise<SecureContext>;
}

function contextsOf(url: URL, trust: Trust, own: TlsSettings | undefined): Contexts {
  return {
    target: async () => (url.protocol === 'https:' ? trust.context(own) : undefined),
    proxy: () => trust.context(),
  };
}

interface AgentNeeds {
  readonly verifyTls: boolean;
  readonly proxy: URL | undefined;
  /** Where open sockets are noted: undici forgets those that are still connecting. */
  readonly sockets: Set<Socket>;
  readonly contexts: Contexts;
}

/** A server is offered nothing else. undici asks connectors of its own making, and not the agent they are for. */
const http1 = { allowH2: false } as const;

async function createAgent(options: UndiciTransportOptions, needs: AgentNeeds): Promise<Dispatcher> {
  const secureContext = await needs.contexts.target();
  // One context for all connections: made of options it would be parsed anew, 150 certificates, with each of them.
  const tls = { rejectUnauthorized: needs.verifyTls, ...(secureContext === undefined ? {} : { secureContext }) };
  const timeout = options.connectTimeoutMs ?? 30_000;
  const limits: Agent.Options = {
    connections: options.connections ?? 6,
    pipelining: 1,
    ...http1,
    headersTimeout: headersTimeoutOf(options),
    bodyTimeout: options.idleTimeoutMs ?? 60_000,
    maxHeaderSize: MAX_HEADER_BYTES,
  };
  const { Agent, buildConnector } = await loadConnectionParts();
  if (needs.proxy === undefined) {
    return new Agent({ ...limits, connect: noting(needs.sockets, buildConnector({ ...tls, ...http1, timeout })) });
  }
  const { ProxyAgent, Pool } = await loadProxyParts();
  // What is made for the proxy itself would have undici's own limits, and none for what it takes to be connected.
  const pool = (origin: string | URL, given: object): Dispatcher => new Pool(origin, { ...limits, ...given });
  return new ProxyAgent({
    ...limits,
    uri: needs.proxy.href,
    requestTls: { ...tls, ...http1, timeout },
    proxyTls: {
      ...http1,
      timeout,
      ...(needs.proxy.protocol === 'https:' ? { secureContext: await needs.contexts.proxy() } : {}),
    },
    clientFactory: pool,
    factory: pool,
  });
}

function headersTimeoutOf({ headersTimeoutMs }: UndiciTransportOptions): number {
  return headersTimeoutMs ?? 60_000;
}

function noting(sockets: Set<Socket>, connect: buildConnector.connector): buildConnector.connector {
  return (target, done) => {
    const socket: unknown = connect(target, done);
    if (!isSocket(socket)) return;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // A server of TLS that refuses says why and then ends the connection: the reason is the first, and undici would take the last.
    socket.once('error', (error: Error) => socket.destroy(error));
  };
}

function isSocket(value: unknown): value is Socket {
  return typeof value === 'object' && value !== null && 'destroy' in value && 'once' in value;
}

interface DispatchSettings {
  readonly headersTimeoutMs: number;
  /** What to do where nothing answers. */
  readonly advice: string | undefined;
}

/**
 * Answers before the answer (status 1xx) start undici's clock anew each time: once the first has come, this is the time for
 * all of them.
 */
function dispatch(
  agent: Dispatcher,
  request: TransportRequest,
  { headersTimeoutMs, advice }: DispatchSettings,
): Promise<TransportResponse> {
  const { url, signal } = request;
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let body: BodyQueue | undefined;
    let interim: NodeJS.Timeout | undefined;
    const settle = (): void => {
      clearTimeout(interim);
      signal?.removeEventListener('abort', abort);
    };
    const fail = (error: unknown): void => {
      settle();
      const isReached = body !== undefined;
      const failure = networkError(error, url.origin, isReached ? undefined : advice);
      const reason = signal?.aborted === true ? signal.reason : failure;
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
        if (status < 200) {
          interim ??= setTimeout(() => started.abort(noFinalAnswer()), headersTimeoutMs);
          return;
        }
        clearTimeout(interim);
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

/** As undici says it of an answer that does not come at all. */
function noFinalAnswer(): Error {
  return Object.assign(new Error('interim answers alone'), { code: 'UND_ERR_HEADERS_TIMEOUT' });
}
