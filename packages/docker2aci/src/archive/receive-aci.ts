// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import {
  aciLayerLimits,
  createLayerIndexer,
  encodeLayerIndex,
  type ImageId,
  type ImageManifest,
  isAppcError,
  type LayerIndex,
  mergeLayers,
  parseImageManifest,
  type StackableLayer,
  splitAciIndex,
  stackAcis,
} from '@rkt/appc';
import type { AbortOptions } from '@rkt/registry';
import { ConversionError } from '../errors.ts';
import { toIoError } from '../io-error.ts';
import { openLayerFile } from '../layers/layer-file.ts';
import { type ConversionLimits, defaultConversionLimits } from '../limits.ts';
import { explained, unpackStream } from './unpack-stream.ts';

export interface ReceiveAciOptions extends AbortOptions {
  /** What the archive is called in messages. */
  readonly name: string;
  /** An existing empty file, which is filled with the uncompressed archive. */
  readonly path: string;
  readonly limits?: Partial<ConversionLimits>;
}

/** An ACI that has been read to its end and holds what it should. */
export interface ReceivedAci {
  /** SHA-512 of the uncompressed archive, byte for byte as it came. */
  readonly id: ImageId;
  /** SHA-256 of the same. */
  readonly diffId: string;
  /** Bytes of the uncompressed archive. */
  readonly size: number;
  /** Encoded index of the whole archive. */
  readonly index: Uint8Array;
  readonly manifest: ImageManifest;
  /** The manifest as the archive has it. */
  readonly manifestBytes: Uint8Array;
}

/** Characters. A store keeps it with a version behind it. */
const LONGEST_NAME = 512;
const LARGEST_MANIFEST_BYTES = 4 * 1024 * 1024;

/**
 * Reads an ACI (appc spec 0.8.11, "App Container Image"), whoever made it: plain, or compressed with gzip or zstd, which
 * is told by its content. Layout, manifest and file tree are checked; where there are dependencies, the tree is whoever
 * knows those to check.
 *
 * @throws ConversionError `ACI_INVALID`, `NOT_A_TAR`, `UNSUPPORTED_COMPRESSION`, `COMPRESSION_CORRUPT`, `TRUNCATED`,
 * `LIMIT_EXCEEDED`, `DISK_FULL`, `IO`; what `source` throws; `signal.reason`
 */
export async function receiveAci(source: AsyncIterable<Uint8Array>, options: ReceiveAciOptions): Promise<ReceivedAci> {
  const { signal, name, path } = options;
  signal?.throwIfAborted();
  const limits = { ...defaultConversionLimits, ...options.limits };
  const hashes = { id: createHash('sha512'), diffId: createHash('sha256') };
  const indexer = createLayerIndexer({ ...aciLayerLimits, ...limits.layer });
  const file = openLayerFile(path);
  const sink = (bytes: Uint8Array): void => {
    hashes.id.update(bytes);
    hashes.diffId.update(bytes);
    indexer.push(bytes);
    file.write(bytes);
  };
  try {
    const size = await unpackStream(source, { limits, sink, ...(signal === undefined ? {} : { signal }) });
    await file.settle();
    const index = indexer.finish();
    const manifestBytes = await readManifest(path, index);
    const manifest = parseImageManifest(manifestBytes);
    checkName(manifest);
    const diffId = `sha256:${hashes.diffId.digest('hex')}`;
    checkTree(manifest, { diffId, index });
    const id: ImageId = `sha512-${hashes.id.digest('hex')}`;
    return { id, diffId, size, index: encodeLayerIndex(index), manifest, manifestBytes };
  } catch (error) {
    throw explained(error, { kind: 'ACI', name });
  } finally {
    file.close();
  }
}

async function readManifest(path: string, index: LayerIndex): Promise<Uint8Array> {
  const { size, extents } = splitAciIndex(index).manifest;
  if (size > LARGEST_MANIFEST_BYTES) {
    const text = `its manifest has ${size} bytes, more than ${LARGEST_MANIFEST_BYTES}`;
    throw new ConversionError('ERR_RKT_DOCKER2ACI_LIMIT_EXCEEDED', text, { expected: LARGEST_MANIFEST_BYTES });
  }
  try {
    await using file = await open(path);
    const bytes = Buffer.alloc(size);
    await file.read(bytes, 0, size, extents[0]?.tarOffset ?? 0);
    return bytes;
  } catch (error) {
    throw toIoError(error, 'cannot read', path);
  }
}

function checkName({ name }: ImageManifest): void {
  if (name.length <= LONGEST_NAME) return;
  const text = `its name has ${name.length} characters, more than ${LONGEST_NAME}`;
  throw new ConversionError('ERR_RKT_DOCKER2ACI_LIMIT_EXCEEDED', text, { expected: LONGEST_NAME, actual: name.length });
}

/**
 * With dependencies, what they are is for others to know. An image without an app may be meant as part of another: the
 * original writes such ACIs of single layers, whose hard links lead to layers below.
 */
function checkTree({ dependencies = [], pathWhitelist, app }: ImageManifest, layer: StackableLayer): void {
  if (dependencies.length > 0) return;
  try {
    mergeLayers(stackAcis([layer], [{ first: 0, position: 0, pathWhitelist }]));
  } catch (error) {
    if (app !== undefined || !isAppcError(error) || error.code !== 'ERR_RKT_APPC_HARDLINK') throw error;
  }
}
