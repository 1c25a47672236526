// SPDX-License-Identifier: Apache-2.0
import { isDigest, type Repository } from '@rkt/refparse';
import { RegistryError } from '../errors.ts';
import type { BlobReader, Descriptor, OpenBlobOptions } from '../image/image.ts';
import { isContentRangeFrom, parseContentLength } from '../protocol/content-range.ts';
import { header, type TransportResponse } from '../transport/transport.ts';
import { type BlobTransfer, createBlobReader, openTransfer } from './blob-reader.ts';
import { assertReference, type Candidate, type ClientContext, corruptKey, tryHosts } from './context.ts';
import { repositoryUrl } from './hosts.ts';
import { sizeMismatch } from './verify.ts';

/** Opens a blob at the first host that has it; see BlobReader for what reading it promises. */
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

interface WantedBlob {
  readonly repository: Repository;
  readonly target: Descriptor;
  readonly options: OpenBlobOptions;
}

const MAX_REMEMBERED = 1024;

function openAt(context: ClientContext, wanted: WantedBlob, offset: number): Promise<BlobTransfer> {
  const { repository, options, target } = wanted;
  return tryHosts(
    context,
    { repository, capability: 'pull', signal: options.signal, digest: target.digest },
    async (candidate) => {
      const { origin } = candidate.host.base;
      const response = await request(context, candidate, wanted, offset);
      return accept(response, wanted, { origin, offset });
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
      ...(offset === 0 ? {} : { headers: { range: `bytes=${offset}-` } }),
      signal: options.signal,
    },
    retrying,
  );
}

interface Opened {
  readonly origin: string;
  readonly offset: number;
}

/** 206 must continue exactly where the reader is; 200 is the whole blob again, whose beginning is skipped. */
function accept(response: TransportResponse, wanted: WantedBlob, opened: Opened): BlobTransfer {
  const { size } = wanted.target;
  const { origin, offset } = opened;
  const partial = response.status === 206;
  if (partial && !isContentRangeFrom(header(response.headers, 'content-range'), offset, size)) {
    response.body.cancel();
    const text = `${origin} sent another range of ${labelOf(wanted)} than it was asked for`;
    throw new RegistryError('ERR_RKT_REGISTRY_PROTOCOL', text, { origin, status: 206 });
  }
  const expected = partial ? size - offset : size;
  const length = parseContentLength(header(response.headers, 'content-length'));
  if (length !== undefined && length !== expected) {
    response.body.cancel();
    throw sizeMismatch(labelOf(wanted), origin, expected, length);
  }
  const framed = length !== undefined || header(response.headers, 'transfer-encoding') !== undefined;
  return openTransfer(response.body, { skip: partial ? 0 : offset, origin, framed });
}

function rememberCorrupt(context: ClientContext, origin: string, target: Descriptor): void {
  if (context.corrupt.size >= MAX_REMEMBERED) context.corrupt.clear();
  context.corrupt.add(corruptKey(origin, target.digest));
}

function labelOf(wanted: WantedBlob): string {
  return `${wanted.repository.domain}/${wanted.repository.path}@${wanted.target.digest}`;
}
