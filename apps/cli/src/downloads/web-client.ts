// SPDX-License-Identifier: Apache-2.0
import { followRedirect, header, isLoopback, isRedirect, type Transport, type TransportResponse } from '@rkt/registry';
import { CliError } from '../errors.ts';
import { quote } from '../render/quote.ts';
import type { AuthCredential } from '../wiring/config/config.ts';
import { redactUrl } from '../wiring/config/redact.ts';
import { authorizationOf } from './authorize.ts';
import type { DownloadOptions } from './downloads.ts';

export interface WebClientOptions {
  readonly transport: Transport;
  /** What servers are told about who asks, by `host[:port]`. */
  readonly credentials: ReadonlyMap<string, AuthCredential>;
  readonly verifyTls: boolean;
  readonly userAgent: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const MOST_REDIRECTS = 10;

/**
 * Asks for a URL, once, wherever it is redirected to. A credential goes to its own host alone, over HTTPS alone; redirects
 * lead neither from HTTPS to HTTP nor from elsewhere to this machine.
 * @throws {CliError} ERR_RKT_CLI_DOWNLOAD for a URL that must not be asked for
 * @throws {RegistryError}
 */
export async function get(
  client: WebClientOptions,
  url: URL,
  headers: Readonly<Record<string, string>>,
  options: DownloadOptions,
): Promise<TransportResponse> {
  requireAllowed(url, options);
  let target = url;
  for (let redirects = 0; ; redirects += 1) {
    const response = await client.transport({
      method: 'GET',
      url: target,
      headers: {
        'user-agent': client.userAgent,
        'accept-encoding': 'identity',
        ...headers,
        ...(await authorization(client, target)),
      },
      verifyTls: client.verifyTls,
      signal: options.signal,
    });
    if (!isRedirect(response.status)) return response;
    response.body.cancel();
    if (redirects === MOST_REDIRECTS) {
      throw new CliError('ERR_RKT_CLI_DOWNLOAD', `${shown(url)} redirects more than ${MOST_REDIRECTS} times`);
    }
    target = followRedirect(target, header(response.headers, 'location'), options);
  }
}

async function authorization(client: WebClientOptions, url: URL): Promise<Readonly<Record<string, string>>> {
  const credential = url.protocol === 'https:' ? client.credentials.get(url.host) : undefined;
  return credential === undefined ? {} : authorizationOf(credential, url, new Date(client.now()));
}

function requireAllowed(url: URL, { allowHttp, httpFlag }: DownloadOptions): void {
  if (url.username !== '' || url.password !== '') {
    throw new CliError('ERR_RKT_CLI_DOWNLOAD', `cannot fetch ${shown(url)}: it has credentials in it`, {
      hint: 'put them into auth.d of LOCAL_CONFIG, where other users do not see them',
    });
  }
  if (url.protocol === 'https:') return;
  if (url.protocol !== 'http:') {
    throw new CliError('ERR_RKT_CLI_DOWNLOAD', `cannot fetch ${shown(url)}: only https and http URLs can be fetched`);
  }
  if (allowHttp || isLoopback(url)) return;
  throw new CliError('ERR_RKT_CLI_DOWNLOAD', `cannot fetch ${shown(url)}: it is plain HTTP`, {
    hint: `if you trust the network, add ${httpFlag}`,
  });
}

/** A URL for messages, without what may be secret. */
export function shown(url: URL): string {
  return quote(redactUrl(url.href));
}
