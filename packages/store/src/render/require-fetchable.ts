// SPDX-License-Identifier: Apache-2.0
import { type AciSegment, isAppcError, type LayerLimits } from '@rkt/appc';
import { StoreError } from '../errors.ts';
import { inSlices } from '../host/open-directory.ts';

export interface FetchableOptions {
  /** Of the archive. @default those of fetching */
  readonly limits?: Partial<LayerLimits>;
  readonly signal?: AbortSignal | undefined;
}

/** Stands for content, which whoever indexes an archive does not look at. */
const ZEROS = new Uint8Array(1024 * 1024);

/**
 * Reads an ACI that is still to be written as fetching will read it, except for what is in its files.
 *
 * @throws TREE_UNSUPPORTED for what fetching refuses: more entries, more bytes of names and attributes or of everything together
 * than one archive may have
 */
export async function requireFetchable(segments: Iterable<AciSegment>, options: FetchableOptions = {}): Promise<void> {
  const { aciLayerLimits, createLayerIndexer, maxTarBytes } = await import('@rkt/appc');
  const indexer = createLayerIndexer({ ...aciLayerLimits, ...options.limits });
  const pause = inSlices();
  let bytes = 0;
  try {
    for (const segment of segments) {
      bytes += segment.kind === 'bytes' ? segment.bytes.length : segment.length;
      if (bytes > maxTarBytes) throw unfetchable(`it has more than ${maxTarBytes} bytes`);
      if (segment.kind === 'bytes') indexer.push(segment.bytes);
      else for (let rest = segment.length; rest > 0; rest -= ZEROS.length) indexer.push(ZEROS.subarray(0, rest));
      indexer.takeComplete();
      await pause();
      options.signal?.throwIfAborted();
    }
    indexer.finish();
  } catch (error) {
    throw isAppcError(error) ? unfetchable(error.message, error) : error;
  }
}

function unfetchable(why: string, cause?: unknown): StoreError {
  const text = `the image with what the pod wrote could not be fetched again: ${why}`;
  return new StoreError('ERR_RKT_STORE_TREE_UNSUPPORTED', text, cause === undefined ? {} : { cause });
}
