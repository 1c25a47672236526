// SPDX-License-Identifier: Apache-2.0
import { isDigest, type Repository } from '@rkt/refparse';
import { RegistryError } from '../errors.ts';
import type { BlobReader, Descriptor, OpenBlobOptions } from '../image/image.ts';
import type { TransportResponse } from '../transport/transport.ts';
import { type BlobTransfer, createBlobReader } from './blob-reader.ts';
import { acceptBlob, labelOf, rangeFrom, type WantedBlob } from './blob-response.ts';
import { assertReference, type Candidate, type ClientContext, corruptKey, tryHosts } from './context.ts';
import { foreignNotAllowed, openForeign } from './foreign-blobs.ts';
import { repositoryUrl } from './hosts.ts';

/**
 * Opens a blob at the first host that has it, or at one of its foreign addresses where that is allowed; see BlobReader for
 * what reading it promises.
 */
export async function getBlob(
  context: ClientContext,
  repository: Repository,
  target: Descriptor,
  options: OpenBlobOptions,
): Promise<BlobReader> {
  const { domain, path } = repository;
  assertReference({ domain, path, tag: undefined, digest: target.digest });
  if (!isDigest(target.digest) || !Number.isSafeInteger(target.size) || target.size < 0) {
    throw new TypeError('a blob needs a valid digest and size');
  }
  const wanted = { repository: { domain, path }, target, options };
  return createBlobReader(
    target,
    {
      first: await openAt(context, wanted, 0),
      reopen: (offset) => openAt(context, wanted, offset),
      onCorrupt: (origin) => rememberCorrupt(context, origin, target),
      retrying: context.retrying,
      what: labelOf(wanted),
    },
    options,
  );
}

const MAX_REMEMBERED = 1024;

/** A registry need not have the foreign layers of its images; it is asked all the same, as it often does. */
async function openAt(context: ClientContext, wanted: WantedBlob, offset: number): Promise<BlobTransfer> {
  try {
    return await openAtHosts(context, wanted, offset);
  } catch (error) {
    const { target, options } = wanted;
    const isElsewhere = target.urls !== undefined && target.urls.length > 0;
    if (!isElsewhere || !(error instanceof RegistryError) || error.code !== 'ERR_RKT_REGISTRY_NOT_FOUND') throw error;
    if (options.allowForeign !== true) throw foreignNotAllowed(wanted, error);
    return openForeign(context, wanted, offset);
  }
}

function openAtHosts(context: ClientContext, wanted: WantedBlob, offset: number): Promise<BlobTransfer> {
  const { repository, options, target } = wanted;
  return tryHosts(
    context,
    { repository, capability: 'pull', signal: options.signal, digest: target.digest },
    async (candidate) => {
      const { origin } = candidate.host.base;
      const response = await request(context, candidate, wanted, offset);
      return acceptBlob(response, wanted, { origin, offset });
    },
  );
}

function request(
  context: ClientContext,
  candidate: Candidate,
  wanted: WantedBlob,
  offset: number,
): Promise<TransportResponse> {
  const { repository, target, options } = wanted;
  const { host, retrying } = candidate;
  return context.session.send(
    { host, repository, label: labelOf(wanted) },
    {
      method: 'GET',
      url: repositoryUrl(host, repository, `blobs/${target.digest}`),
      ...rangeFrom(offset),
      signal: options.signal,
    },
    retrying,
  );
}

function rememberCorrupt(context: ClientContext, origin: string, target: Descriptor): void {
  if (context.corrupt.size >= MAX_REMEMBERED) context.corrupt.clear();
  context.corrupt.add(corruptKey(origin, target.digest));
}
