// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { formatReference, parseDigest, type Reference, type Repository } from '@rkt/refparse';
import { RegistryError } from '../errors.ts';
import type { AbortOptions, Descriptor } from '../image/image.ts';
import { readSome } from '../transport/body.ts';
import { header, type TransportResponse } from '../transport/transport.ts';
import { assertReference, type Candidate, type ClientContext, tryHosts } from './context.ts';
import { pathOnHost, repositoryUrl } from './hosts.ts';
import type { RegistryRequest } from './session.ts';
import { algorithmOf, digestMismatch, digestOf, sizeMismatch } from './verify.ts';

export interface PutBlobOptions extends AbortOptions {
  /** Gives the bytes, from the beginning; called once for every host that is written to, and not for one that has the blob. */
  readonly open: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** The path of another repository of the same registry that has the blob. */
  readonly mountFrom?: string;
  /** Told after each chunk that arrived how many bytes have, in all. */
  readonly onBytes?: (sent: number) => void;
}

export interface PutManifestOptions extends AbortOptions {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
}

/** What is held of a blob, to be sent again if need be. */
const CHUNK_BYTES = 4 << 20;
const OCTETS = { 'content-type': 'application/octet-stream' };

/** Writes a blob. OCI distribution spec, "Pushing a blob in chunks" and "Mounting a blob from another repository". */
export async function putBlob(
  context: ClientContext,
  { domain, path }: Repository,
  target: Descriptor,
  options: PutBlobOptions,
): Promise<void> {
  const repository = { domain, path };
  assertReference({ ...repository, tag: undefined, digest: target.digest });
  if (options.mountFrom !== undefined) {
    assertReference({ domain, path: options.mountFrom, tag: undefined, digest: undefined });
  }
  await tryHosts(context, { repository, capability: 'push', signal: options.signal }, async (candidate) => {
    const upload: Upload = { context, candidate, repository, target, options };
    if (await exists(upload)) return;
    const location = await begin(upload);
    if (location !== undefined) await finish(upload, await sendChunks(upload, location));
  });
}

interface Upload {
  readonly context: ClientContext;
  readonly candidate: Candidate;
  readonly repository: Repository;
  readonly target: Descriptor;
  readonly options: PutBlobOptions;
}

async function exists(upload: Upload): Promise<boolean> {
  const { candidate, repository, target } = upload;
  try {
    const url = repositoryUrl(candidate.host, repository, `blobs/${target.digest}`);
    await drained(await ask(upload, { method: 'HEAD', url }));
    return true;
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'ERR_RKT_REGISTRY_NOT_FOUND') return false;
    throw error;
  }
}

/** Where to send the blob to; undefined when it was mounted. */
async function begin(upload: Upload): Promise<URL | undefined> {
  const { candidate, repository, target, options } = upload;
  const url = repositoryUrl(candidate.host, repository, 'blobs/uploads/');
  if (options.mountFrom !== undefined) {
    url.searchParams.set('mount', target.digest);
    url.searchParams.set('from', pathOnHost(candidate.host, { ...repository, path: options.mountFrom }));
  }
  const response = await drained(await send(upload, { method: 'POST', url, headers: { 'content-length': '0' } }));
  return response.status === 201 ? undefined : locationOf(upload, response, url);
}

/** @returns where the blob is to be completed, once all its bytes are there and are the right ones */
async function sendChunks(upload: Upload, start: URL): Promise<URL> {
  const { target, options, candidate } = upload;
  const hash = createHash(algorithmOf(target.digest));
  let location = start;
  let sent = 0;
  for await (const chunk of chunksOf(options.open())) {
    options.signal?.throwIfAborted();
    if (sent + chunk.length > target.size) {
      throw sizeMismatch(labelOf(upload), candidate.host.base.origin, target.size, sent + chunk.length);
    }
    hash.update(chunk);
    location = await sendChunk(upload, location, { chunk, sent });
    sent += chunk.length;
    options.onBytes?.(sent);
  }
  const { origin } = candidate.host.base;
  if (sent !== target.size) throw sizeMismatch(labelOf(upload), origin, target.size, sent);
  const actual = `${algorithmOf(target.digest)}:${hash.digest('hex')}`;
  if (actual === target.digest) return location;
  throw digestMismatch({ what: labelOf(upload), expected: target.digest, actual, origin });
}

interface Chunk {
  readonly chunk: Uint8Array;
  readonly sent: number;
}

async function sendChunk(upload: Upload, location: URL, { chunk, sent }: Chunk): Promise<URL> {
  const headers = { ...OCTETS, 'content-range': `${sent}-${sent + chunk.length - 1}` };
  const request = { method: 'PATCH', url: location, headers, body: chunk } as const;
  try {
    return locationOf(upload, await drained(await send(upload, request)), location);
  } catch (error) {
    // A chunk that arrived though its answer did not is refused when it comes again: the registry says how far it is.
    if (!(error instanceof RegistryError) || error.status !== 416) throw error;
    const status = await drained(await send(upload, { method: 'GET', url: location }));
    const [, last] = /^(?:bytes=)?0-([0-9]{1,15})$/.exec(header(status.headers, 'range') ?? '') ?? [];
    if (last === undefined || Number(last) + 1 !== sent + chunk.length) throw error;
    return locationOf(upload, status, location);
  }
}

async function finish(upload: Upload, location: URL): Promise<void> {
  const url = new URL(location);
  url.searchParams.set('digest', upload.target.digest);
  await drained(await send(upload, { method: 'PUT', url, headers: { ...OCTETS, 'content-length': '0' } }));
}

/** Joins and cuts, so that each chunk but the last has the same size. */
async function* chunksOf(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let filled = 0;
  let buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  for await (const bytes of source) {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + CHUNK_BYTES - filled);
      buffer.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < CHUNK_BYTES) continue;
      yield buffer;
      buffer = Buffer.allocUnsafe(CHUNK_BYTES);
      filled = 0;
    }
  }
  if (filled > 0) yield buffer.subarray(0, filled);
}

/** An upload goes on where the registry says, on the registry: another origin would get bytes and authorisation. */
function locationOf(upload: Upload, response: TransportResponse, from: URL): URL {
  const { origin } = upload.candidate.host.base;
  const location = header(response.headers, 'location');
  if (location === undefined || !URL.canParse(location, from.href)) {
    const text = `${origin} does not say where the upload of ${labelOf(upload)} goes on`;
    throw new RegistryError('ERR_RKT_REGISTRY_PROTOCOL', text, { origin, status: response.status });
  }
  const url = new URL(location, from);
  if (url.origin === origin && url.username === '' && url.password === '') return url;
  const text = `${origin} continues the upload of ${labelOf(upload)} on another host`;
  throw new RegistryError('ERR_RKT_REGISTRY_REDIRECT_REFUSED', text, { origin });
}

function send(upload: Upload, request: Omit<RegistryRequest, 'signal' | 'isWrite'>): Promise<TransportResponse> {
  return ask(upload, { ...request, isWrite: true });
}

function ask(upload: Upload, request: Omit<RegistryRequest, 'signal'>): Promise<TransportResponse> {
  const { context, candidate, repository, options } = upload;
  const target = { host: candidate.host, repository, actions: 'pull,push', label: labelOf(upload) } as const;
  return context.session.send(target, { ...request, signal: options.signal }, candidate.retrying);
}

/** The text of an answer to a write is of no use, but its connection is. */
async function drained(response: TransportResponse): Promise<TransportResponse> {
  await readSome(response.body, 65_536);
  return response;
}

function labelOf({ repository, target }: Upload): string {
  return `${repository.domain}/${repository.path}@${target.digest}`;
}

/** Writes a manifest. OCI distribution spec, "Pushing Manifests". */
export async function putManifest(
  context: ClientContext,
  reference: Reference,
  { bytes, mediaType, signal }: PutManifestOptions,
): Promise<Descriptor> {
  assertReference(reference);
  const digest = parseDigest(digestOf(bytes, reference.digest ?? 'sha256'));
  if (reference.digest !== undefined && reference.digest !== digest) {
    throw new TypeError(`the manifest has the digest ${digest}, not ${reference.digest}`);
  }
  const label = formatReference(reference);
  await tryHosts(context, { repository: reference, capability: 'push', signal }, async ({ host, retrying }) => {
    const url = repositoryUrl(host, reference, `manifests/${reference.tag ?? digest}`);
    const headers = { 'content-type': mediaType };
    const target = { host, repository: reference, actions: 'pull,push', label } as const;
    const request = { method: 'PUT', url, headers, body: bytes, isWrite: true, signal } as const;
    await drained(await context.session.send(target, request, retrying));
  });
  return { mediaType, digest, size: bytes.length };
}
