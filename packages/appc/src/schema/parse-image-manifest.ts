// SPDX-License-Identifier: Apache-2.0
import { acVersionField } from './ac-version.ts';
import { acIdentifierField, asApp, labels, namedValues } from './app.ts';
import type { Dependency, ImageManifest } from './image-manifest.ts';
import {
  arrayOf,
  asAbsolutePath,
  type FieldParser,
  integerIn,
  objectOf,
  oneOf,
  optional,
  stringOf,
  toJson,
  toUtf8,
} from './json-fields.ts';

const dependency: FieldParser<Dependency> = objectOf<Dependency>({
  imageName: acIdentifierField,
  imageID: optional(stringOf((text) => /^sha512-[0-9a-f]{1,128}$/.test(text), 'an image ID')),
  labels: optional(labels),
  size: optional(integerIn(0, Number.MAX_SAFE_INTEGER)),
});

const imageManifest: FieldParser<ImageManifest> = objectOf<ImageManifest>({
  acKind: oneOf(['ImageManifest']),
  acVersion: acVersionField,
  name: acIdentifierField,
  labels: optional(labels),
  app: optional(asApp),
  annotations: optional(namedValues),
  dependencies: optional(arrayOf(dependency)),
  pathWhitelist: optional(arrayOf(asAbsolutePath)),
});

/**
 * Reads an image manifest (appc spec 0.8.11, "Image Manifest Schema") from JSON text or a parsed value. Names are checked
 * as loosely as by every implementation (see `isAcIdentifier`); unknown properties are left out; a port without a count has one.
 *
 * @throws AppcError `ERR_RKT_APPC_MANIFEST` with the `path` of the property at fault.
 */
export function parseImageManifest(json: unknown): ImageManifest {
  return imageManifest(toJson(json), '');
}

/**
 * The one form in which a manifest is written and hashed: UTF-8, properties in the order of the type, maps by key, no
 * insignificant white space.
 *
 * @throws AppcError `ERR_RKT_APPC_MANIFEST` if `manifest` could not be read back.
 */
export function serializeImageManifest(manifest: ImageManifest): Uint8Array {
  return toUtf8(parseImageManifest(manifest));
}
