// SPDX-License-Identifier: Apache-2.0
import { header, type TransportResponse } from '@rkt/registry';
import { CliError } from '../errors.ts';
import { shown } from './web-client.ts';

const TRANSIENT: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);
const LOGIN = 'put credentials for its host into auth.d of LOCAL_CONFIG';
const HINTS: Readonly<Record<number, string>> = { 401: LOGIN, 403: LOGIN, 404: 'check the spelling, and the version' };

/** An answer that is not what was asked for. */
export class StatusError extends CliError {
  /** Whether the same may be answered otherwise later, and how many milliseconds later at the least. */
  readonly retryAfterMs: number | undefined;

  constructor(url: URL, { status, headers }: TransportResponse) {
    const hint = HINTS[status];
    const message = `cannot fetch ${shown(url)}: bad HTTP status code: ${status}`;
    super('ERR_RKT_CLI_DOWNLOAD', message, hint === undefined ? {} : { hint });
    const seconds = /^\d{1,5}$/.exec(header(headers, 'retry-after') ?? '')?.[0] ?? '0';
    this.retryAfterMs = TRANSIENT.has(status) ? Number(seconds) * 1000 : undefined;
  }
}
