// SPDX-License-Identifier: Apache-2.0
import {
  type ImageId,
  type ImageManifest,
  type LayerRepository,
  serializeImageManifest,
  type TreeLayer,
} from '@rkt/appc';
import type { AbortOptions, Image } from '@rkt/registry';
import { ConversionError } from './errors.ts';
import { createConversionThreads } from './layers/conversion-threads.ts';
import { fetchLayers } from './layers/fetch-layers.ts';
import { createHashFeed } from './layers/hash-feed.ts';
import { hashHere } from './layers/image-hashing.ts';
import { type StartWorker, startPackagedWorker } from './layers/start-worker.ts';
import { type ConversionLimits, defaultConversionLimits } from './limits.ts';
import { toAciManifest } from './manifest/aci-manifest.ts';
import type { ImageOrigin } from './manifest/image-origin.ts';
import type { OnConversionProgress } from './progress.ts';

export interface ConvertImageOptions extends AbortOptions {
  /** Where layers are kept; those it has are not fetched. */
  readonly repository: LayerRepository;
  readonly onProgress?: OnConversionProgress;
  /** Layers of more than 4 MiB fetched at once; as many smaller ones are fetched beside them. @default 3 */
  readonly concurrency?: number;
  readonly limits?: Partial<ConversionLimits>;
  /**
   * A label `version` for the manifest, usually the tag, for an ACI that is to be found by it without a store. It changes
   * the ID. @default none
   */
  readonly version?: string;
  /** @default the worker's file in this package */
  readonly startWorker?: StartWorker;
}

/** An image to be converted. */
export interface ConvertibleImage extends Image {
  /**
   * Of an image that was exported: what it says it was first converted from, for the image manifest and so for the ID. Nobody
   * vouches for it: what the image is called is `reference` alone. @default `reference` and `descriptor`
   */
  readonly origin?: ImageOrigin;
}

/** An image as an ACI: the manifest, and layers in the repository. Its tree is `mergeLayers` of their indexes. */
export interface ConvertedImage {
  readonly id: ImageId;
  readonly manifest: ImageManifest;
  readonly manifestBytes: Uint8Array;
  /** Base first. */
  readonly layers: readonly TreeLayer[];
  /** Bytes of the uncompressed ACI. */
  readonly size: number;
}

/** With up to this many bytes of blobs, an image is converted on the calling thread alone. */
const SMALL_IMAGE_BYTES = 8 * 1024 * 1024;
/** With up to this many, on as few threads as possible. */
const MEDIUM_IMAGE_BYTES = 64 * 1024 * 1024;
const DEFAULT_CONCURRENCY = 3;

/**
 * Converts an image: fetches the layers the repository lacks, several at once, verifies each against its diffID, and
 * computes the image ID while layers still arrive. Nothing is unpacked into files. Memory does not depend on the size of
 * the image, only on its number of entries.
 *
 * On any failure, and when the signal fires, transfers are cancelled, threads ended and begun layers discarded; layers that
 * were complete stay in the repository.
 *
 * @throws ConversionError; what `image` and the repository throw; `signal.reason`
 */
export async function convertImage(image: ConvertibleImage, options: ConvertImageOptions): Promise<ConvertedImage> {
  options.signal?.throwIfAborted();
  const limits = { ...defaultConversionLimits, ...options.limits };
  const concurrency = checkConcurrency(options.concurrency ?? DEFAULT_CONCURRENCY);
  checkLayers(image, limits);
  const manifest = manifestOf(image, options.version);
  const manifestBytes = serializeImageManifest(manifest);
  const { startWorker = startPackagedWorker, repository, onProgress, signal } = options;
  const bytes = blobBytes(image);
  await using threads = createConversionThreads({ startWorker, most: concurrency, few: bytes <= MEDIUM_IMAGE_BYTES });
  const hashed = { manifestBytes, layerCount: image.layers.length, maxBytes: limits.maxImageBytes };
  const small = bytes <= SMALL_IMAGE_BYTES;
  const hashing = small ? hashHere(hashed) : threads.hash(hashed);
  const feed = createHashFeed(image.layers, { hashing, maxIndexBytes: limits.maxIndexBytes });
  try {
    const context = { repository, onProgress, signal, concurrency, limits, feed };
    await fetchLayers(image.layers, { ...context, threads: small ? undefined : threads });
    onProgress?.({ type: 'image:hashing' });
    const { id, size, layerSizes } = await untilAborted(hashing.finish(), signal);
    onProgress?.({ type: 'image:done', id, size });
    const layers = image.layers.map(({ diffId }, index) => ({ diffId, size: layerSizes[index] ?? 0 }));
    return { id, manifest, manifestBytes, layers, size };
  } finally {
    await hashing.dispose();
    feed.close();
  }
}

function manifestOf(image: ConvertibleImage, version: string | undefined): ImageManifest {
  const { repository, manifestDigest } = image.origin ?? {
    repository: image.reference,
    manifestDigest: image.descriptor.digest,
  };
  const { domain, path } = repository;
  const configDigest = image.configDescriptor.digest;
  const manifest = toAciManifest(image.config, { domain, path, configDigest, manifestDigest });
  if (version === undefined) return manifest;
  return { ...manifest, labels: [...(manifest.labels ?? []), { name: 'version', value: version }] };
}

function blobBytes(image: Image): number {
  return image.layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
}

function checkConcurrency(concurrency: number): number {
  if (Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= 64) return concurrency;
  throw new RangeError(`concurrency: expected 1 to 64, got ${concurrency}`);
}

function checkLayers(image: Image, limits: ConversionLimits): void {
  const count = image.layers.length;
  if (count > limits.maxLayers) {
    const text = `image has ${count} layers, more than ${limits.maxLayers}`;
    throw new ConversionError('ERR_RKT_DOCKER2ACI_LIMIT_EXCEEDED', text, { expected: limits.maxLayers, actual: count });
  }
  const other = image.layers.find(({ diffId }) => !/^sha256:[0-9a-f]{64}$/.test(diffId));
  if (other === undefined) return;
  const text = `diffID of layer ${other.descriptor.digest}: expected a sha256 digest, got ${other.diffId.slice(0, 160)}`;
  throw new ConversionError('ERR_RKT_DOCKER2ACI_CONFIG_INVALID', text, { digest: other.descriptor.digest });
}

/** The result, or the reason of the signal as soon as it fires. */
async function untilAborted<T>(result: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return result;
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    if (signal.aborted) abort();
    return await Promise.race([result, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
