// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { type Digest, formatReference, type Reference } from '@rkt/refparse';
import { RegistryError } from '../errors.ts';
import { type ContentProvider, type DiffIdOf, readBlob } from './content-provider.ts';
import type { AbortOptions, Descriptor, ImageConfig, OpenImageOptions } from './image.ts';
import { DOCKER_CONFIG, DOCKER_LAYER } from './media-types.ts';
import { schema1Config } from './schema1-config.ts';
import type { Schema1Manifest } from './schema1-manifest.ts';

/** What an image is made of, besides its manifest. Layers base first. */
export interface ImageParts {
  readonly configDescriptor: Descriptor;
  readonly configBytes: Uint8Array;
  readonly layers: readonly Descriptor[];
}

/** @throws {RegistryError} for a configuration that is invalid or for another platform */
export type CheckConfig = (bytes: Uint8Array, layerCount: number) => ImageConfig;

export interface Schema1Context {
  readonly provider: ContentProvider;
  readonly diffIdOf: DiffIdOf | undefined;
  readonly reference: Reference;
  readonly check: CheckConfig;
  readonly options: OpenImageOptions;
}

/** Blobs read at once. */
const CONCURRENCY = 3;

/**
 * What a manifest of today would say of a schema 1 image. Each of its blobs is read once, for its diffID, and not before
 * all that can be checked without has been.
 */
export async function readSchema1Image(manifest: Schema1Manifest, context: Schema1Context): Promise<ImageParts> {
  const { reference, options, check } = context;
  const measuring = requireMeans(context);
  const { blobSums } = manifest;
  // Digests in place of the diffIDs, which are digests, too: all else is final.
  check(schema1Config(manifest, blobSums), blobSums.length);
  options.onProgress?.({ type: 'image:schema1', reference: formatReference(reference) });
  const measured = await measureAll(new Set(blobSums), measuring, options.signal);
  const layers = blobSums.flatMap((blobSum) => measured.get(blobSum) ?? []);
  const configBytes = schema1Config(
    manifest,
    layers.map(({ diffId }) => diffId),
  );
  const digest: Digest = `sha256:${createHash('sha256').update(configBytes).digest('hex')}`;
  return {
    configDescriptor: { mediaType: DOCKER_CONFIG, digest, size: configBytes.length },
    configBytes,
    layers: layers.map(({ descriptor }) => descriptor),
  };
}

interface MeasuredLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

type Measure = (blobSum: Digest, options: Required<AbortOptions>) => Promise<MeasuredLayer>;

function requireMeans({ provider, diffIdOf, reference, options: { onProgress } }: Schema1Context): Measure {
  if (provider.getBlobSize === undefined || diffIdOf === undefined) {
    const name = formatReference(reference);
    const text = `${name} is a Docker schema 1 image, which cannot be read from here: its layers would have to be inflated`;
    throw new RegistryError('ERR_RKT_REGISTRY_UNSUPPORTED_MEDIA_TYPE', text, { reference: name });
  }
  const { getBlobSize } = provider;
  return async (digest, options) => {
    const size = await getBlobSize.call(provider, reference, digest, options);
    const descriptor = { mediaType: DOCKER_LAYER, digest, size };
    onProgress?.({ type: 'measure:start', digest, size });
    const onBytes = (received: number): void => onProgress?.({ type: 'measure:bytes', digest, received, size });
    const open = () => provider.getBlob(reference, descriptor, { ...options, onBytes });
    const diffId = await readBlob(open, (blob) => diffIdOf(blob, options));
    onProgress?.({ type: 'measure:done', digest, diffId });
    return { descriptor, diffId };
  };
}

/** Several at once; ends when all work has ended, also after a failure, which ends the rest. */
async function measureAll(
  blobSums: ReadonlySet<Digest>,
  measure: Measure,
  outer: AbortSignal | undefined,
): Promise<ReadonlyMap<Digest, MeasuredLayer>> {
  const failure = new AbortController();
  const signal = outer === undefined ? failure.signal : AbortSignal.any([outer, failure.signal]);
  const measured = new Map<Digest, MeasuredLayer>();
  const left = [...blobSums].reverse();
  const work = async (): Promise<void> => {
    try {
      for (let blobSum = left.pop(); blobSum !== undefined; blobSum = left.pop()) {
        signal.throwIfAborted();
        measured.set(blobSum, await measure(blobSum, { signal }));
      }
    } catch (error) {
      failure.abort(error);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  signal.throwIfAborted();
  return measured;
}
