// SPDX-License-Identifier: Apache-2.0
import type { Repository } from '@rkt/refparse';
import { RegistryError } from '../errors.ts';
import type { Descriptor, OpenBlobOptions } from '../image/image.ts';
import { isContentRangeFrom, parseContentLength } from '../protocol/content-range.ts';
import { header, type TransportResponse } from '../transport/transport.ts';
import { type BlobTransfer, openTransfer } from './blob-reader.ts';
import { sizeMismatch } from './verify.ts';

export interface WantedBlob {
  readonly repository: Repository;
  readonly target: Descriptor;
  readonly options: OpenBlobOptions;
}

/** Where a transfer begins. */
export interface Opened {
  readonly origin: string;
  /** Bytes of the blob that the reader has already. */
  readonly offset: number;
}

export function labelOf({ repository, target }: WantedBlob): string {
  return `${repository.domain}/${repository.path}@${target.digest}`;
}

/** The request header that asks for the rest of a blob. */
export function rangeFrom(offset: number): { readonly headers?: Readonly<Record<string, string>> } {
  return offset === 0 ? {} : { headers: { range: `bytes=${offset}-` } };
}

/** 206 must continue exactly where the reader is; 200 is the whole blob again, whose beginning is skipped. */
export function acceptBlob(response: TransportResponse, wanted: WantedBlob, opened: Opened): BlobTransfer {
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
