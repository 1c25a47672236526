// SPDX-License-Identifier: Apache-2.0
import { CliError } from '../errors.ts';
import type { DocumentAnswer, DocumentOptions, Downloads } from './downloads.ts';
import { type FileClient, getFile } from './get-file.ts';
import { waitBeforeRetry } from './retry.ts';
import { StatusError } from './status-error.ts';
import { get, shown, type WebClientOptions } from './web-client.ts';

export interface DownloadsOptions extends Omit<FileClient, 'maxFileBytes' | 'retryBaseMs'> {
  /** @default 137_438_953_472 (128 GiB), as of the image that is in it */
  readonly maxFileBytes?: number;
  /** Milliseconds of the first wait before another try. @default 1000 */
  readonly retryBaseMs?: number;
  /** Closes what the transport keeps open. */
  readonly close: () => Promise<void>;
}

const ATTEMPTS = 5;
const LARGEST_FILE = 128 * 1024 ** 3;
/** Milliseconds a small body may take: a byte now and then keeps any other time-out from ever coming. */
const WHOLE_DOCUMENT_MS = 120_000;

/** Downloads through a transport. */
export function createDownloads(options: DownloadsOptions): Downloads {
  const { maxFileBytes = LARGEST_FILE, retryBaseMs = 1000 } = options;
  const client: FileClient = { ...options, maxFileBytes, retryBaseMs };
  return {
    getDocument: (url, wanted) => getDocument(client, url, wanted),
    getFile: (url, wanted) => getFile(client, url, wanted),
    [Symbol.asyncDispose]: options.close,
  };
}

async function getDocument(client: FileClient, url: URL, options: DocumentOptions): Promise<DocumentAnswer> {
  const { signal, attempts = ATTEMPTS } = options;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await getOnce(client, url, options);
    } catch (error) {
      await waitBeforeRetry(error, attempt, { attempts, baseMs: client.retryBaseMs, signal });
    }
  }
}

async function getOnce(client: WebClientOptions, url: URL, options: DocumentOptions): Promise<DocumentAnswer> {
  const response = await get(client, url, {}, options);
  const { status, body } = response;
  if (status !== 200) body.cancel();
  if (status === 202) return { status, bytes: new Uint8Array() };
  if (status !== 200) throw new StatusError(url, response);
  const { maxBytes, cut } = options;
  const chunks: Uint8Array[] = [];
  let length = 0;
  let isLate = false;
  const deadline = setTimeout(() => {
    isLate = true;
    body.cancel();
  }, WHOLE_DOCUMENT_MS);
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > maxBytes) break;
    }
  } finally {
    clearTimeout(deadline);
  }
  if (isLate) throw refused(url, `it has not arrived after ${WHOLE_DOCUMENT_MS / 1000} s`);
  if (length > maxBytes && cut === undefined) throw refused(url, `it is larger than ${maxBytes} bytes`);
  return { status, bytes: Buffer.concat(chunks).subarray(0, maxBytes) };
}

function refused(url: URL, reason: string): CliError {
  return new CliError('ERR_RKT_CLI_DOWNLOAD', `cannot fetch ${shown(url)}: ${reason}`);
}
