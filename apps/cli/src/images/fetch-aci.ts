// SPDX-License-Identifier: Apache-2.0
import type { ImageManifest } from '@rkt/appc';
import type { ImageRecord, RemoteRecord, Store } from '@rkt/store';
import { formatCacheState, isFresh, parseCacheState } from '../downloads/cache-control.ts';
import type { CacheState, DownloadOptions } from '../downloads/downloads.ts';
import { CliError } from '../errors.ts';
import { quote } from '../render/quote.ts';
import { type DetachedSignature, LARGEST_SIGNATURE_FILE, readDetachedSignature } from '../trust/detached-signature.ts';
import { redactUrl } from '../wiring/config/redact.ts';
import type { Session } from '../wiring/session.ts';
import { readSignatureFile } from './aci-signature.ts';
import { storedRemote } from './fetch-docker-image.ts';
import { readFile } from './file-input.ts';
import { importAci } from './import-aci.ts';
import type { ObtainOptions } from './obtain-options.ts';
import { urlRemoteName } from './url-remote-name.ts';

/** An ACI on a server. */
export interface RemoteAci {
  readonly url: URL;
  readonly signatureUrl: URL;
  /** Throws for the manifest of another image than the one that was asked for. */
  readonly check?: (manifest: ImageManifest) => void;
  /** Told what the signature says before the image is fetched, so that its key can be. Undefined: it is not there yet. */
  readonly onSignature?: (signature: DetachedSignature | undefined) => Promise<void>;
}

/**
 * Fetches an ACI, by the pull policy: `new` asks the server only for what did not come from there before, `update` asks again
 * when what the server said about it does not hold any more, and is sent nothing if nothing has changed. The signature is
 * fetched first: one who has none for it is spared the image.
 * @throws {CliError} ERR_RKT_CLI_IMAGE_NOT_IN_STORE, ERR_RKT_CLI_DOWNLOAD, ERR_RKT_CLI_SIGNATURE_INVALID
 * @throws {RegistryError}
 */
export async function fetchAci(session: Session, aci: RemoteAci, options: ObtainOptions): Promise<ImageRecord> {
  const store = await session.store();
  const { url } = aci;
  const known = await storedRemote(store, urlRemoteName(url));
  const cache = known === undefined ? undefined : cacheOf(known, session);
  if (known !== undefined && cache !== undefined && needsNoServer(session, known, cache, options)) {
    session.debug(`image for ${redactUrl(url.href)} isn't expired, not fetching.`);
    return await use(store, known, aci);
  }
  if (options.pullPolicy === 'never') throw notAllowed(url);
  session.note(`fetching image from ${redactUrl(url.href)}`);
  remind(session);
  const signature = await obtainSignature(session, aci, options);
  const downloads = await session.downloads();
  const answer = await withProgress(options, () =>
    downloads.getFile(url, {
      ...downloadOptions(session),
      etag: cache?.etag,
      onProgress: options.progress.onEvent,
    }),
  );
  if (answer.kind === 'unchanged' && known !== undefined) {
    await store.putRemote(
      remoteOf(session, url, { imageId: known.imageId, cache: answer.cache, isVerified: isVerified(known) }),
    );
    return await use(store, known, aci);
  }
  if (answer.kind === 'unchanged') throw new TypeError('a file that is not here cannot be unchanged');
  await using file = answer;
  const image = await importAci(
    session,
    { name: redactUrl(url.href), read: () => readFile(file.path) },
    {
      ...options,
      signature: signature === 'deferred' ? await signatureAgain(session, aci, options) : signature,
      ...(aci.check === undefined ? {} : { check: aci.check }),
    },
  );
  await store.putRemote(
    remoteOf(session, url, { imageId: image.id, cache: answer.cache, isVerified: signature !== undefined }),
  );
  return image;
}

function needsNoServer(
  session: Session,
  { checkedAt }: RemoteRecord,
  cache: CacheState,
  { pullPolicy }: ObtainOptions,
): boolean {
  return pullPolicy !== 'update' || isFresh(cache, checkedAt, session.io.now());
}

/** It may have come from there as what it is, and have been asked for as something else. */
async function use(store: Store, { imageId }: RemoteRecord, { check }: RemoteAci): Promise<ImageRecord> {
  check?.((await store.getImage(imageId)).manifest);
  return await store.resolveImage({ prefix: imageId });
}

const UNVERIFIED = 'unverified ';

function isVerified({ digest }: RemoteRecord): boolean {
  return !digest.startsWith(UNVERIFIED);
}

/**
 * What came unverified is nothing to compare with for somebody who wants it verified: a signature is for the bytes as they came,
 * and those have to come once more.
 */
function cacheOf(known: RemoteRecord, { globals }: Session): CacheState {
  if (isVerified(known)) return parseCacheState(known.digest);
  return parseCacheState(globals.insecure.has('image') ? known.digest.slice(UNVERIFIED.length) : '');
}

interface Came {
  readonly imageId: RemoteRecord['imageId'];
  readonly cache: CacheState;
  readonly isVerified: boolean;
}

function remoteOf(session: Session, url: URL, { imageId, cache, isVerified }: Came): RemoteRecord {
  const digest = `${isVerified ? '' : UNVERIFIED}${formatCacheState(cache)}`;
  return { name: urlRemoteName(url), imageId, digest, checkedAt: session.io.now() };
}

function notAllowed(url: URL): CliError {
  const message = `unable to fetch image from URL ${quote(redactUrl(url.href))}: it was not found in the store and fetching it was not allowed`;
  return new CliError('ERR_RKT_CLI_IMAGE_NOT_IN_STORE', message, {
    hint: 'fetch it first, or use another --pull-policy',
  });
}

function remind(session: Session): void {
  const { insecure } = session.globals;
  if (insecure.has('tls')) session.reminder('TLS verification has been disabled');
  if (insecure.has('image')) session.reminder('image signature verification has been disabled');
}

function downloadOptions({ globals, interrupts }: Session): DownloadOptions {
  return {
    signal: interrupts.signal,
    allowHttp: globals.insecure.has('http'),
    httpFlag: '--insecure-options=http',
  };
}

/** Undefined where none is asked for; deferred where the server says that it will be there when the image is. */
async function obtainSignature(
  session: Session,
  aci: RemoteAci,
  options: ObtainOptions,
): Promise<DetachedSignature | 'deferred' | undefined> {
  if (session.globals.insecure.has('image')) return undefined;
  const given = options.signatureFile;
  const signature = given === undefined ? await fetchSignature(session, aci, options) : await readSignatureFile(given);
  if (signature === undefined) session.note('server requested deferring the signature download');
  await aci.onSignature?.(signature);
  return signature ?? 'deferred';
}

async function signatureAgain(session: Session, aci: RemoteAci, options: ObtainOptions): Promise<DetachedSignature> {
  const signature = await fetchSignature(session, aci, options);
  if (signature !== undefined) return signature;
  const message = 'error downloading the signature file: server asked to defer the download again';
  throw new CliError('ERR_RKT_CLI_DOWNLOAD', message);
}

async function fetchSignature(
  session: Session,
  { signatureUrl: url }: RemoteAci,
  options: ObtainOptions,
): Promise<DetachedSignature | undefined> {
  const downloads = await session.downloads();
  const { onEvent } = options.progress;
  try {
    const answer = await withProgress(options, async () => {
      onEvent({ type: 'download:start', what: 'signature', url: url.href, size: undefined });
      const wanted = { ...downloadOptions(session), maxBytes: LARGEST_SIGNATURE_FILE };
      const got = await downloads.getDocument(url, wanted);
      onEvent({ type: 'download:bytes', url: url.href, received: got.bytes.length });
      onEvent({ type: 'download:done', url: url.href });
      return got;
    });
    return answer.status === 202 ? undefined : await readDetachedSignature(answer.bytes, redactUrl(url.href));
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== 'ERR_RKT_CLI_DOWNLOAD') throw error;
    throw new CliError(error.code, `error downloading the signature file: ${error.message}`, {
      cause: error,
      hint: 'name another one with --signature, or, if you trust the server, add --insecure-options=image',
    });
  }
}

async function withProgress<T>({ progress }: ObtainOptions, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    progress.end();
  }
}
