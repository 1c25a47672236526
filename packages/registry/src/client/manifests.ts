// SPDX-License-Identifier: Apache-2.0
import { formatReference, isDigest, parseDigest, type Reference } from '@rkt/refparse';
import { RegistryError } from '../errors.ts';
import type { FetchedManifest } from '../image/content-provider.ts';
import type { AbortOptions, Descriptor } from '../image/image.ts';
import { FieldError, field, parseObject } from '../image/json.ts';
import { ACCEPT_MANIFESTS, essence, isSchema1Type } from '../image/media-types.ts';
import { signedPayload } from '../image/signed-payload.ts';
import { parseContentLength } from '../protocol/content-range.ts';
import { readAll } from '../transport/body.ts';
import { header, type TransportResponse } from '../transport/transport.ts';
import { assertReference, type Candidate, type ClientContext, tryHosts } from './context.ts';
import { askHead } from './head.ts';
import { repositoryUrl } from './hosts.ts';
import { onlyOnce, withRetries } from './retry.ts';
import { digestMismatch, digestOf, sizeMismatch } from './verify.ts';

/** A manifest by tag or digest; the digest of the result is computed from the bytes, whatever the registry says. */
export function getManifest(
  context: ClientContext,
  reference: Reference,
  options: AbortOptions,
): Promise<FetchedManifest> {
  return forReference(context, reference, options, (candidate) =>
    fetchManifest(context, candidate, { reference, options }),
  );
}

/** The descriptor of a manifest: from a HEAD request where the answer is complete, from the bytes otherwise. */
export function resolve(context: ClientContext, reference: Reference, options: AbortOptions): Promise<Descriptor> {
  return forReference(context, reference, options, async (candidate) => {
    const wanted = { reference, options };
    const described = await describe(context, candidate, wanted);
    return described ?? (await fetchManifest(context, candidate, wanted)).descriptor;
  });
}

interface Wanted {
  readonly reference: Reference;
  readonly options: AbortOptions;
}

function forReference<T>(
  context: ClientContext,
  reference: Reference,
  options: AbortOptions,
  attempt: (candidate: Candidate) => Promise<T>,
): Promise<T> {
  assertReference(reference);
  if (reference.tag === undefined && reference.digest === undefined)
    throw new TypeError('the reference has no tag and no digest');
  const capability = reference.digest === undefined ? 'resolve' : 'pull';
  return tryHosts(context, { repository: reference, capability, signal: options.signal }, attempt);
}

function send(
  context: ClientContext,
  candidate: Candidate,
  wanted: Wanted,
  method: 'GET' | 'HEAD',
): Promise<TransportResponse> {
  const { reference, options } = wanted;
  const { host, retrying } = candidate;
  const rest = `manifests/${reference.digest ?? reference.tag ?? ''}`;
  return context.session.send(
    { host, repository: reference, label: formatReference(reference) },
    {
      method,
      url: repositoryUrl(host, reference, rest),
      headers: { accept: ACCEPT_MANIFESTS },
      signal: options.signal,
    },
    retrying,
  );
}

async function describe(context: ClientContext, candidate: Candidate, wanted: Wanted): Promise<Descriptor | undefined> {
  const headers = await askHead(() => send(context, candidate, wanted, 'HEAD'));
  if (headers === undefined) return undefined;
  const digest = header(headers, 'docker-content-digest');
  const size = parseContentLength(header(headers, 'content-length'));
  const mediaType = header(headers, 'content-type');
  if (!isDigest(digest) || size === undefined || mediaType === undefined) return undefined;
  // A header that contradicts the question is no answer; the bytes will tell.
  if (wanted.reference.digest !== undefined && digest !== wanted.reference.digest) return undefined;
  // The length is that of the document with its signatures, which are no part of the manifest.
  if (isSchema1Type(essence(mediaType))) return undefined;
  return { mediaType: essence(mediaType), digest, size };
}

/** With its body: a connection that is cut in the middle of a manifest is a reason to ask again, too. */
function fetchManifest(context: ClientContext, candidate: Candidate, wanted: Wanted): Promise<FetchedManifest> {
  const once = { ...candidate, retrying: onlyOnce(candidate.retrying) };
  return withRetries(candidate.retrying, wanted.options.signal, () => tryManifest(context, once, wanted));
}

async function tryManifest(context: ClientContext, candidate: Candidate, wanted: Wanted): Promise<FetchedManifest> {
  const { reference } = wanted;
  const name = formatReference(reference);
  const { origin } = candidate.host.base;
  const response = await send(context, candidate, wanted, 'GET');
  refuseCoding(response, name, origin);
  const length = parseContentLength(header(response.headers, 'content-length'));
  if (length !== undefined && length > context.maxManifestBytes) {
    response.body.cancel();
    throw tooLarge(context, name, origin);
  }
  const document = await readAll(response.body, context.maxManifestBytes, `manifest of ${name}`);
  if (length !== undefined && length !== document.length) throw sizeMismatch(name, origin, length, document.length);
  const bytes = signedPayload(document, name);
  const actual = digestOf(bytes, reference.digest ?? 'sha256');
  if (reference.digest !== undefined && actual !== reference.digest) {
    throw digestMismatch({ what: name, expected: reference.digest, actual, origin });
  }
  const mediaType = essence(header(response.headers, 'content-type') ?? '') || statedType(bytes);
  return { descriptor: { mediaType, digest: parseDigest(actual), size: bytes.length }, bytes };
}

/** A coding that was not asked for is not undone: the digest is over what was meant to be sent. */
function refuseCoding(response: TransportResponse, reference: string, origin: string): void {
  const coding = header(response.headers, 'content-encoding');
  if (coding === undefined || coding === '' || coding.toLowerCase() === 'identity') return;
  response.body.cancel();
  const text = `${origin} sent the manifest of ${reference} with content coding ${coding}, which was not asked for`;
  throw new RegistryError('ERR_RKT_REGISTRY_PROTOCOL', text, { origin, reference });
}

function tooLarge(context: ClientContext, reference: string, origin: string): RegistryError {
  const text = `manifest of ${reference} is larger than ${context.maxManifestBytes} bytes`;
  return new RegistryError('ERR_RKT_REGISTRY_LIMIT_EXCEEDED', text, {
    origin,
    reference,
    expected: context.maxManifestBytes,
  });
}

/** The document's own `mediaType`, for servers that send no Content-Type. Empty when it has none. */
function statedType(bytes: Uint8Array): string {
  try {
    const stated = field(parseObject(bytes), 'mediaType');
    return typeof stated === 'string' ? essence(stated) : '';
  } catch (error) {
    if (error instanceof FieldError) return '';
    throw error;
  }
}
