// SPDX-License-Identifier: Apache-2.0
import { type Digest, formatReference, type Reference, withDigest } from '@rkt/refparse';
import { isRegistryError, RegistryError } from '../errors.ts';
import { parseImageConfig } from './config.ts';
import type {
  BlobReader,
  Descriptor,
  Image,
  ImageSource,
  Layer,
  OpenBlobOptions,
  OpenImageOptions,
  Platform,
} from './image.ts';
import { type ImageManifest, parseManifest } from './manifest.ts';
import { isImageManifestType, isIndexType, isLayerType } from './media-types.ts';
import { hostPlatform, matchPlatform, noMatchingPlatform, selectManifest } from './platform.ts';

/** Manifests and blobs by name and digest: what an image is read from. A `Registry` is one, an OCI layout can be. */
export interface ContentProvider {
  getManifest(reference: Reference, options?: { readonly signal?: AbortSignal }): Promise<FetchedManifest>;
  getBlob(reference: Reference, target: Descriptor, options?: OpenBlobOptions): Promise<BlobReader>;
}

/**
 * A manifest, verified against the digest if one was asked for: as it came, or without its signatures if it is a signed
 * Docker schema 1 manifest, whose digest does not cover them.
 */
export interface FetchedManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

const WRONG_BYTES: ReadonlySet<string> = new Set([
  'ERR_RKT_REGISTRY_DIGEST_MISMATCH',
  'ERR_RKT_REGISTRY_SIZE_MISMATCH',
]);
const MAX_CONFIG_BYTES = 8 << 20;
const MAX_INDEX_DEPTH = 8;

/**
 * Images of a registry, or of anything else that has manifests and blobs: reads the manifest, follows indices to the
 * platform, reads and checks the configuration. Layers are not touched until they are opened.
 */
export function imageSource(provider: ContentProvider): ImageSource {
  return { open: (reference, options = {}) => openImage(provider, reference, options) };
}

async function openImage(provider: ContentProvider, reference: Reference, options: OpenImageOptions): Promise<Image> {
  options.signal?.throwIfAborted();
  const platform = options.platform ?? hostPlatform();
  const found = await findManifest(provider, reference, { platform, options });
  const { manifest, descriptor, bytes } = found;
  const name = formatReference(reference);
  checkLayerTypes(manifest, name);
  const configBytes = await readConfig(provider, reference, manifest.config, options);
  const config = parseImageConfig(configBytes, { reference: name, layerCount: manifest.layers.length, platform });
  if (matchPlatform({ ...config.platform }, withoutVersion(platform)) === undefined) {
    throw noMatchingPlatform(platform, [config.platform], name);
  }
  return {
    reference,
    descriptor,
    manifestBytes: bytes,
    configDescriptor: manifest.config,
    configBytes,
    config,
    layers: config.diffIds.flatMap((diffId, index) => {
      const layer = manifest.layers[index];
      if (layer === undefined) return [];
      return [toLayer(provider, { reference, descriptor: layer, diffId, allowForeign: options.allowForeign })];
    }),
  };
}

interface Wanted {
  readonly platform: Platform;
  readonly options: OpenImageOptions;
}

interface FoundManifest extends FetchedManifest {
  readonly manifest: ImageManifest;
}

async function findManifest(provider: ContentProvider, reference: Reference, wanted: Wanted): Promise<FoundManifest> {
  const name = formatReference(reference);
  const seen = new Set<Digest>();
  let current = reference;
  let announced: Descriptor | undefined;
  for (let depth = 0; depth <= MAX_INDEX_DEPTH; depth += 1) {
    const fetched = await provider.getManifest(current, abortOf(wanted.options));
    const manifest = parseManifest(fetched.bytes, { reference: name, mediaType: fetched.descriptor.mediaType });
    // Servers of files send generic types; what the document was read as is what it is.
    const descriptor = { ...fetched.descriptor, mediaType: manifest.mediaType };
    if (announced !== undefined) checkAnnounced(announced, descriptor, name);
    if (manifest.kind === 'image') return { descriptor, bytes: fetched.bytes, manifest };
    seen.add(fetched.descriptor.digest);
    announced = selectManifest(manifest.manifests.filter(isManifest), wanted.platform, name);
    if (seen.has(announced.digest)) break;
    current = withDigest(reference, announced.digest);
  }
  const text = `${name}: its indices are nested in a circle or deeper than ${MAX_INDEX_DEPTH}`;
  throw new RegistryError('ERR_RKT_REGISTRY_LIMIT_EXCEEDED', text, { reference: name });
}

function isManifest(entry: Descriptor): boolean {
  return isIndexType(entry.mediaType) || isImageManifestType(entry.mediaType);
}

function checkAnnounced(announced: Descriptor, got: Descriptor, reference: string): void {
  if (announced.size !== got.size) {
    const text = `manifest ${got.digest} of ${reference} has ${got.size} bytes, the index says ${announced.size}`;
    throw new RegistryError('ERR_RKT_REGISTRY_SIZE_MISMATCH', text, {
      reference,
      expected: announced.size,
      actual: got.size,
    });
  }
  if (announced.mediaType !== got.mediaType) {
    const text = `manifest ${got.digest} of ${reference} is ${got.mediaType}, the index says ${announced.mediaType}`;
    throw new RegistryError('ERR_RKT_REGISTRY_MANIFEST_INVALID', text, {
      reference,
      expected: announced.mediaType,
      actual: got.mediaType,
    });
  }
}

function checkLayerTypes(manifest: ImageManifest, reference: string): void {
  for (const layer of manifest.layers) {
    if (isLayerType(layer.mediaType)) continue;
    const text = `${reference} has a layer of the unknown type ${layer.mediaType} (${layer.digest})`;
    throw new RegistryError('ERR_RKT_REGISTRY_UNSUPPORTED_MEDIA_TYPE', text, { reference, actual: layer.mediaType });
  }
}

async function readConfig(
  provider: ContentProvider,
  reference: Reference,
  target: Descriptor,
  options: OpenImageOptions,
): Promise<Uint8Array> {
  if (target.size > MAX_CONFIG_BYTES) {
    const name = formatReference(reference);
    const text = `configuration of ${name} has ${target.size} bytes, more than ${MAX_CONFIG_BYTES}`;
    throw new RegistryError('ERR_RKT_REGISTRY_LIMIT_EXCEEDED', text, { reference: name, expected: MAX_CONFIG_BYTES });
  }
  try {
    return await readBlob(provider, reference, target, options);
  } catch (error) {
    // Nothing was handed out yet, so a second reading may replace the first; another mirror is asked if there is one.
    if (!isRegistryError(error) || !WRONG_BYTES.has(error.code)) throw error;
    return readBlob(provider, reference, target, options);
  }
}

async function readBlob(
  provider: ContentProvider,
  reference: Reference,
  target: Descriptor,
  options: OpenImageOptions,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await provider.getBlob(reference, target, abortOf(options))) chunks.push(chunk);
  return Buffer.concat(chunks);
}

interface LayerParts {
  readonly reference: Reference;
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  readonly allowForeign: boolean | undefined;
}

function toLayer(
  provider: ContentProvider,
  { reference, descriptor, diffId, allowForeign = false }: LayerParts,
): Layer {
  return {
    descriptor,
    diffId,
    open: (options) => provider.getBlob(reference, descriptor, { allowForeign, ...options }),
  };
}

/** Configurations rarely say an OS version; the index has already been matched by it. */
function withoutVersion(platform: Platform): Platform {
  const { osVersion: _, ...rest } = platform;
  return rest;
}

function abortOf(options: OpenImageOptions): { readonly signal?: AbortSignal } {
  return options.signal === undefined ? {} : { signal: options.signal };
}
