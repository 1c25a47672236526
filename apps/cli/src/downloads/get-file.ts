// SPDX-License-Identifier: Apache-2.0
import { header, type TransportResponse } from '@rkt/registry';
import { CliError, errnoOf, reasonOf } from '../errors.ts';
import { cacheStateOf, rangeValidatorOf } from './cache-control.ts';
import type { CacheState, FileAnswer, FileOptions } from './downloads.ts';
import { type PartialFile, takePartialFile } from './partial-file.ts';
import { waitBeforeRetry } from './retry.ts';
import { StatusError } from './status-error.ts';
import { get, shown, type WebClientOptions } from './web-client.ts';

export interface FileClient extends WebClientOptions {
  /** Where files are kept that are not whole yet. */
  readonly directory: string;
  readonly maxFileBytes: number;
  readonly retryBaseMs: number;
}

const ATTEMPTS = 5;
/** Progress that forgives earlier interruptions: a transfer that moves is not given up. */
const FORGIVING_BYTES = 1 << 20;
const REPORT_EVERY_MS = 100;

/** See {@link Downloads.getFile}. */
export async function getFile(client: FileClient, url: URL, options: FileOptions): Promise<FileAnswer> {
  const partial = await takePartialFile(client.directory, url, client.now());
  let isHandedOut = false;
  try {
    const { kind, cache } = await transferAll({ client, url, options, partial });
    if (kind === 'unchanged') return { kind, cache };
    isHandedOut = true;
    return { kind, cache, path: partial.path, [Symbol.asyncDispose]: () => partial[Symbol.asyncDispose]() };
  } catch (error) {
    // What is larger than may be is so the next time, too.
    if (!(error instanceof CliError) || error instanceof StatusError || options.signal.aborted) await partial.keep();
    throw error;
  } finally {
    if (!isHandedOut) await partial[Symbol.asyncDispose]();
  }
}

interface Transfer {
  readonly client: FileClient;
  readonly url: URL;
  readonly options: FileOptions;
  readonly partial: PartialFile;
}

interface Outcome {
  readonly kind: FileAnswer['kind'];
  readonly cache: CacheState;
}

async function transferAll(transfer: Transfer): Promise<Outcome> {
  const { client, options, partial } = transfer;
  const patience = { attempts: ATTEMPTS, baseMs: client.retryBaseMs, signal: options.signal };
  let failures = 0;
  let sizeAtFailure = 0;
  for (;;) {
    try {
      return await transferOnce(transfer);
    } catch (error) {
      const size = partial.size();
      failures = size - sizeAtFailure >= FORGIVING_BYTES ? 1 : failures + 1;
      sizeAtFailure = size;
      await waitBeforeRetry(error, failures, patience);
    }
  }
}

async function transferOnce(transfer: Transfer): Promise<Outcome> {
  const { client, url, options, partial } = transfer;
  const { etag } = options;
  const offset = partial.validator === undefined ? 0 : partial.size();
  const headers = conditions(offset, partial.validator, etag);
  const response = await get(client, url, headers, options);
  const { status } = response;
  const cache = cacheStateOf(response.headers);
  if (status === 304 && etag !== undefined) {
    response.body.cancel();
    return { kind: 'unchanged', cache: { etag: cache.etag ?? etag, maxAge: cache.maxAge } };
  }
  if (offset > 0 && (status === 416 || (status === 206 && !continues(response, offset, partial.validator)))) {
    response.body.cancel();
    await partial.restart(undefined);
    return await transferOnce(transfer);
  }
  if (status !== 200 && !(status === 206 && offset > 0)) {
    response.body.cancel();
    throw new StatusError(url, response);
  }
  if (status === 200) await partial.restart(rangeValidatorOf(response.headers));
  await receive(transfer, response, status === 206 ? offset : 0);
  return { kind: 'file', cache };
}

function conditions(
  offset: number,
  validator: string | undefined,
  etag: string | undefined,
): Readonly<Record<string, string>> {
  return {
    ...(etag === undefined ? {} : { 'if-none-match': etag }),
    ...(offset === 0 || validator === undefined ? {} : { range: `bytes=${offset}-`, 'if-range': validator }),
  };
}

/**
 * Whether a part is the rest of what is here: RFC 9110, sections 14.4 and 15.3.7.3. A server that knows ranges and not If-Range
 * sends the rest of something else.
 */
function continues({ headers }: TransportResponse, offset: number, validator: string | undefined): boolean {
  const now = header(headers, validator?.startsWith('"') === true ? 'etag' : 'last-modified');
  if (now !== undefined && now !== validator) return false;
  const [, first, last, total] =
    /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i.exec(header(headers, 'content-range') ?? '') ?? [];
  return Number(first) === offset && (total === '*' || Number(last) === Number(total) - 1);
}

async function receive(transfer: Transfer, { headers, body }: TransportResponse, offset: number): Promise<void> {
  const { client, url, options, partial } = transfer;
  const rest = /^\d{1,15}$/.exec(header(headers, 'content-length') ?? '')?.[0];
  const size = rest === undefined ? undefined : offset + Number(rest);
  const name = url.href;
  let received = offset;
  let reportedAt = 0;
  try {
    requireSize(client, url, Math.max(received, size ?? 0));
    options.onProgress({ type: 'download:start', what: 'ACI', url: name, size });
    for await (const chunk of body) {
      received += chunk.length;
      requireSize(client, url, received);
      await writeAll(partial, chunk);
      const now = client.now();
      if (now - reportedAt >= REPORT_EVERY_MS) options.onProgress({ type: 'download:bytes', url: name, received });
      if (now - reportedAt >= REPORT_EVERY_MS) reportedAt = now;
    }
    options.onProgress({ type: 'download:done', url: name });
  } finally {
    body.cancel();
  }
}

function requireSize({ maxFileBytes }: FileClient, url: URL, size: number): void {
  if (size <= maxFileBytes) return;
  const message = `cannot fetch ${shown(url)}: it is larger than ${maxFileBytes} bytes`;
  throw new CliError('ERR_RKT_CLI_DOWNLOAD', message);
}

async function writeAll({ file, path }: PartialFile, chunk: Uint8Array): Promise<void> {
  try {
    for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    throw new CliError('ERR_RKT_CLI_FILE', `cannot write ${path}: ${reasonOf(error)}`, { cause: error });
  }
}
