// SPDX-License-Identifier: Apache-2.0
import { RegistryError } from '../errors.ts';
import { isLoopback } from '../protocol/addresses.ts';
import { bypassesProxy } from '../protocol/no-proxy.ts';

/** Proxy servers, as the environment or a configuration names them. */
export interface ProxySettings {
  /** For http URLs: `http://[user:password@]host:port`; `http://` may be left out. */
  readonly httpProxy?: string;
  /** For https URLs, which are asked through a tunnel. */
  readonly httpsProxy?: string;
  /** Hosts not to use a proxy for, as in `NO_PROXY`: names, addresses, ranges of addresses, each also with a port. */
  readonly noProxy?: string;
}

/**
 * Proxy settings from `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` of `env`, lower-case names first; an empty one is
 * none, as in Go. Undefined when no proxy is named.
 */
export function proxyFromEnvironment(env: Readonly<Record<string, string | undefined>>): ProxySettings | undefined {
  const read = (name: string): string | undefined => env[name.toLowerCase()] || env[name] || undefined;
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

/**
 * The proxy a URL is asked through. Never one for loopback: plain http is good enough there because it stays on this
 * machine. `proxy.example:3128` is http, as everywhere else that reads these variables.
 * @throws {RegistryError} ERR_RKT_REGISTRY_UNREACHABLE without the URL, which may hold a password
 */
export function proxyFor(url: URL, settings: ProxySettings | undefined): URL | undefined {
  const isHttps = url.protocol === 'https:';
  const text = (isHttps ? settings?.httpsProxy : settings?.httpProxy) ?? '';
  if (text === '' || isDirect(url, settings)) return undefined;
  return parseProxy(text, isHttps ? 'HTTPS_PROXY' : 'HTTP_PROXY');
}

/**
 * What to do where an https URL is not reached. A proxy for http alone is not asked for it; older clients, written in Go
 * before 1.16, did that, and their hosts are set up so.
 */
export function proxyAdvice(url: URL, settings: ProxySettings | undefined): string | undefined {
  const isForHttpAlone = (settings?.httpProxy ?? '') !== '' && (settings?.httpsProxy ?? '') === '';
  if (url.protocol !== 'https:' || !isForHttpAlone || isDirect(url, settings)) return undefined;
  return 'the proxy in HTTP_PROXY is for http alone: to use one for https, set HTTPS_PROXY';
}

function isDirect(url: URL, settings: ProxySettings | undefined): boolean {
  return isLoopback(url) || bypassesProxy(url, settings?.noProxy ?? '');
}

function parseProxy(text: string, variable: string): URL {
  const unusable = (reason: string): RegistryError =>
    new RegistryError('ERR_RKT_REGISTRY_UNREACHABLE', `the proxy in ${variable} ${reason}`);
  const written = text.includes('://') ? text : `http://${text}`;
  const proxy = URL.canParse(written) ? new URL(written) : undefined;
  if (proxy === undefined || !/^https?:$/.test(proxy.protocol)) throw unusable('is no http or https URL');
  if (isDecodable(proxy.username) && isDecodable(proxy.password)) return proxy;
  throw unusable('has a "%" in its user or password that begins no escape: write it as "%25"');
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch (error) {
    if (error instanceof URIError) return false;
    throw error;
  }
}
