// SPDX-License-Identifier: Apache-2.0
import { type Digest, formatReference, type Reference, withDigest } from '@rkt/refparse';
import { RegistryError } from '../errors.ts';
import { type ConfigContext, parseImageConfig } from './config.ts';
import { type ContentProvider, type DiffIdOf, type FetchedManifest, readBlob } from './content-provider.ts';
import type { Descriptor, Image, ImageConfig, ImageSource, Layer, OpenImageOptions, Platform } from './image.ts';
import { type ImageManifest, parseManifest } from './manifest.ts';
import { isImageManifestType, isIndexType, isLayerType } from './media-types.ts';
import { hostPlatform, matchPlatform, noMatchingPlatform, selectManifest } from './platform.ts';
import { type CheckConfig, type ImageParts, readSchema1Image } from './schema1-image.ts';
import type { Schema1Manifest } from './schema1-manifest.ts';

const MAX_CONFIG_BYTES = 8 << 20;
const MAX_INDEX_DEPTH = 8;

export interface ImageSourceOptions {
  /** Inflates layers for their diffIDs. Only Docker schema 1 images need it; without it they are refused. */
  readonly diffIdOf?: DiffIdOf;
}

/**
 * Images of a registry, or of anything else that has manifests and blobs: reads the manifest, follows indices to the
 * platform, reads and checks the configuration. Layers are not touched until they are opened, but for those of Docker
 * schema 1 images, which are read once for their diffIDs. `open` also rejects with what `diffIdOf` does.
 */
export function imageSource(provider: ContentProvider, { diffIdOf }: ImageSourceOptions = {}): ImageSource {
  return { open: (reference, options = {}) => openImage({ provider, diffIdOf }, reference, options) };
}

interface Source {
  readonly provider: ContentProvider;
  readonly diffIdOf: DiffIdOf | undefined;
}

async function openImage(source: Source, reference: Reference, options: OpenImageOptions): Promise<Image> {
  options.signal?.throwIfAborted();
  const { provider } = source;
  const platform = options.platform ?? hostPlatform();
  const { manifest, descriptor, bytes } = await findManifest(provider, reference, { platform, options });
  const name = formatReference(reference);
  const check: CheckConfig = (config, layerCount) => checkConfig(config, { reference: name, layerCount, platform });
  const parts =
    manifest.kind === 'schema1'
      ? await readSchema1Image(manifest, { ...source, reference, check, options })
      : await readImage(manifest, { provider, reference, options });
  const config = check(parts.configBytes, parts.layers.length);
  return {
    reference,
    descriptor,
    manifestBytes: bytes,
    configDescriptor: parts.configDescriptor,
    configBytes: parts.configBytes,
    config,
    layers: config.diffIds.flatMap((diffId, index) => {
      const layer = parts.layers[index];
      if (layer === undefined) return [];
      return [toLayer(provider, { reference, descriptor: layer, diffId, allowForeign: options.allowForeign })];
    }),
  };
}

/** Reads a configuration and refuses one for another platform. */
function checkConfig(bytes: Uint8Array, context: ConfigContext): ImageConfig {
  const { platform, reference } = context;
  const config = parseImageConfig(bytes, context);
  if (matchPlatform(config.platform, withoutVersion(platform)) !== undefined) return config;
  throw noMatchingPlatform(platform, [config.platform], reference);
}

interface Reading {
  readonly provider: ContentProvider;
  readonly reference: Reference;
  readonly options: OpenImageOptions;
}

async function readImage(manifest: ImageManifest, reading: Reading): Promise<ImageParts> {
  checkLayerTypes(manifest, formatReference(reading.reference));
  const { config, layers } = manifest;
  return { configDescriptor: config, configBytes: await readConfig(config, reading), layers };
}

interface Wanted {
  readonly platform: Platform;
  readonly options: OpenImageOptions;
}

interface FoundManifest extends FetchedManifest {
  readonly manifest: ImageManifest | Schema1Manifest;
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
    if (manifest.kind !== 'index') return { descriptor, bytes: fetched.bytes, manifest };
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

async function readConfig(target: Descriptor, { provider, reference, options }: Reading): Promise<Uint8Array> {
  if (target.size > MAX_CONFIG_BYTES) {
    const name = formatReference(reference);
    const text = `configuration of ${name} has ${target.size} bytes, more than ${MAX_CONFIG_BYTES}`;
    throw new RegistryError('ERR_RKT_REGISTRY_LIMIT_EXCEEDED', text, { reference: name, expected: MAX_CONFIG_BYTES });
  }
  return readBlob(
    () => provider.getBlob(reference, target, abortOf(options)),
    async (blob) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of blob) chunks.push(chunk);
      return Buffer.concat(chunks);
    },
  );
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
