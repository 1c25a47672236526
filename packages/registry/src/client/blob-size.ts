// SPDX-License-Identifier: Apache-2.0
import { type Digest, isDigest, type Repository } from '@rkt/refparse';
import { RegistryError } from '../errors.ts';
import type { AbortOptions } from '../image/image.ts';
import { parseContentLength } from '../protocol/content-range.ts';
import { header, type TransportResponse } from '../transport/transport.ts';
import { assertReference, type Candidate, type ClientContext, tryHosts } from './context.ts';
import { askHead } from './head.ts';
import { repositoryUrl } from './hosts.ts';
import { onlyOnce } from './retry.ts';

interface WantedSize {
  readonly repository: Repository;
  readonly digest: Digest;
  readonly options: AbortOptions;
}

/**
 * What is counted at most where no length is stated, in bytes: as much as the largest layer that is converted, which is
 * `defaultConversionLimits.maxLayerBytes` of @rkt/docker2aci. That package is above this one, so that it is said twice.
 */
const MAX_COUNTED = 32 * 1024 ** 3;

/**
 * The size of a blob as the first host that has it states it. HEAD is asked once; where that says nothing, the answer to
 * GET tells, by its length or, without one, by its end.
 */
export async function getBlobSize(
  context: ClientContext,
  { domain, path }: Repository,
  { digest, ...options }: AbortOptions & { readonly digest: Digest },
): Promise<number> {
  assertReference({ domain, path, tag: undefined, digest });
  if (!isDigest(digest)) throw new TypeError('a blob needs a valid digest');
  const wanted = { repository: { domain, path }, digest, options };
  const { repository } = wanted;
  return tryHosts(context, { repository, capability: 'pull', signal: options.signal, digest }, async (candidate) => {
    const once = { ...candidate, retrying: onlyOnce(candidate.retrying) };
    const headers = await askHead(() => request(context, once, wanted, 'HEAD'));
    const stated = headers === undefined ? undefined : parseContentLength(header(headers, 'content-length'));
    // Servers that answer HEAD as if they had nothing to say state the length of that.
    return stated || sizeOf(await request(context, candidate, wanted, 'GET'), wanted);
  });
}

async function sizeOf({ headers, body }: TransportResponse, wanted: WantedSize): Promise<number> {
  try {
    const stated = parseContentLength(header(headers, 'content-length'));
    if (stated !== undefined) return stated;
    let counted = 0;
    for await (const chunk of body) {
      wanted.options.signal?.throwIfAborted();
      counted += chunk.length;
      if (counted > MAX_COUNTED) throw tooLarge(wanted);
    }
    return counted;
  } finally {
    body.cancel();
  }
}

function tooLarge(wanted: WantedSize): RegistryError {
  const reference = labelOf(wanted);
  const text = `${reference} is larger than ${MAX_COUNTED} bytes`;
  return new RegistryError('ERR_RKT_REGISTRY_LIMIT_EXCEEDED', text, { reference, expected: MAX_COUNTED });
}

function request(
  context: ClientContext,
  { host, retrying }: Candidate,
  wanted: WantedSize,
  method: 'HEAD' | 'GET',
): Promise<TransportResponse> {
  const { repository, digest, options } = wanted;
  return context.session.send(
    { host, repository, label: labelOf(wanted) },
    { method, url: repositoryUrl(host, repository, `blobs/${digest}`), signal: options.signal },
    retrying,
  );
}

function labelOf({ repository, digest }: WantedSize): string {
  return `${repository.domain}/${repository.path}@${digest}`;
}
