// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import {
  aciSegments,
  type Dependency,
  type ImageId,
  type ImageManifest,
  isAppcError,
  type LayerAcis,
  layerAcis,
  mergeLayers,
  sanitizeAcIdentifier,
  serializeImageManifest,
} from '@rkt/appc';
import type { Image } from '@rkt/registry';
import type { ConvertedImage } from './convert-image.ts';
import { type ConvertWithFilesOptions, withLayers } from './convert-to-aci.ts';
import { ConversionError } from './errors.ts';
import type { OpenLayers } from './layers-of-image.ts';

/** The ACI of one layer. */
export interface LayerAci {
  /** Which layer of the image; 0 is the base. */
  readonly position: number;
  readonly manifest: ImageManifest;
  /** The uncompressed archive, to be read to its end before the next one is asked for. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** More than this of manifest no reader of ACIs here takes. Bytes. */
const LARGEST_MANIFEST_BYTES = 4 * 1024 * 1024;

/**
 * An image as one ACI for each layer, base first. The top one is the image: it has its name and its app, and depends on
 * all others by name, labels and ID. Those are called after their layer, so that images that share it share the ACI. See
 * `layerAcis` of `@rkt/appc` for what they hold.
 *
 * @throws as `convertImage` does; ConversionError `LIMIT_EXCEEDED` or `IMAGE_INVALID` if the list of what whiteouts leave
 * would be too long or cannot be written; TypeError when an archive was not read to its end
 */
export function convertLayers(image: Image, options: ConvertWithFilesOptions = {}): AsyncGenerator<LayerAci, void> {
  return withLayers(image, options, (converted, layers) => eachLayer(image, converted, layers));
}

async function* eachLayer(image: Image, converted: ConvertedImage, open: OpenLayers): AsyncGenerator<LayerAci, void> {
  const acis = layerAcisOf(open);
  if (image.layers.length === 0) {
    const { manifest, manifestBytes } = converted;
    yield { position: 0, manifest, bytes: open.read(aciSegments(mergeLayers([]), manifestBytes)) };
  }
  const dependencies: Dependency[] = [];
  const top = converted.layers.length - 1;
  for (const [position, { descriptor }] of image.layers.entries()) {
    const manifest =
      position === top
        ? topManifest(converted.manifest, acis, dependencies)
        : lowerManifest(converted.manifest, descriptor.digest);
    const { bytes, id } = hashed(open.read(acis.segments(position, manifestBytesOf(manifest))));
    yield { position, manifest, bytes };
    dependencies.push(dependencyOn(manifest, id()));
  }
}

function layerAcisOf({ layers }: OpenLayers): LayerAcis {
  try {
    return layerAcis(layers);
  } catch (error) {
    if (!isAppcError(error)) throw error;
    const text = `the image cannot be taken apart into its layers: ${error.message}`;
    throw new ConversionError('ERR_RKT_DOCKER2ACI_IMAGE_INVALID', text, { cause: error });
  }
}

function topManifest(
  manifest: ImageManifest,
  { pathWhitelist }: LayerAcis,
  dependencies: readonly Dependency[],
): ImageManifest {
  return {
    ...manifest,
    ...(dependencies.length === 0 ? {} : { dependencies: [...dependencies] }),
    ...(pathWhitelist === undefined ? {} : { pathWhitelist }),
  };
}

function lowerManifest({ acKind, acVersion, name, labels = [] }: ImageManifest, digest: string): ImageManifest {
  return {
    acKind,
    acVersion,
    name: sanitizeAcIdentifier(`${name}-${digest.replace(':', '-')}`),
    labels: labels.filter((label) => label.name !== 'version'),
  };
}

function dependencyOn({ name, labels }: ImageManifest, imageID: ImageId): Dependency {
  return { imageName: name, imageID, ...(labels === undefined ? {} : { labels }) };
}

function manifestBytesOf(manifest: ImageManifest): Uint8Array {
  const bytes = serializeImageManifest(manifest);
  if (bytes.length <= LARGEST_MANIFEST_BYTES) return bytes;
  const text = `the list of the ${manifest.pathWhitelist?.length ?? 0} paths whiteouts leave is larger than ${LARGEST_MANIFEST_BYTES} bytes`;
  throw new ConversionError('ERR_RKT_DOCKER2ACI_LIMIT_EXCEEDED', text, {
    expected: LARGEST_MANIFEST_BYTES,
    actual: bytes.length,
  });
}

interface Hashed {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** @throws TypeError before the end was reached */
  readonly id: () => ImageId;
}

function hashed(source: AsyncIterable<Uint8Array>): Hashed {
  const hash = createHash('sha512');
  let ended = false;
  const pass = async function* (): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of source) {
      hash.update(chunk);
      yield chunk;
    }
    ended = true;
  };
  return {
    bytes: pass(),
    id: () => {
      if (!ended) throw new TypeError('the archive of a layer was not read to its end');
      return `sha512-${hash.digest('hex')}`;
    },
  };
}
