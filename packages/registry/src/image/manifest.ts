// SPDX-License-Identifier: Apache-2.0
import { RegistryError } from '../errors.ts';
import type { Descriptor, Platform } from './image.ts';
import {
  asArray,
  asDigest,
  asObject,
  asSize,
  asString,
  asStringMap,
  asStrings,
  FieldError,
  field,
  type JsonObject,
  optionalString,
  readDocument,
} from './json.ts';
import { MAX_LAYERS } from './limits.ts';
import {
  essence,
  isConfigType,
  isImageManifestType,
  isIndexType,
  isSchema1Type,
  OCI_INDEX,
  OCI_MANIFEST,
  SCHEMA1_MANIFEST,
} from './media-types.ts';
import { readPlatformDetails } from './platform-fields.ts';
import { readSchema1, type Schema1Manifest } from './schema1-manifest.ts';

/** A manifest of one image. OCI image spec, "Image Manifest"; Docker image manifest v2 schema 2. */
export interface ImageManifest {
  readonly kind: 'image';
  readonly mediaType: string;
  readonly config: Descriptor;
  /** Base first. */
  readonly layers: readonly Descriptor[];
}

/** A list of manifests. OCI image spec, "Image Index"; Docker manifest list. */
export interface ImageIndex {
  readonly kind: 'index';
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
}

export type Manifest = ImageManifest | ImageIndex | Schema1Manifest;

/** What is known of a manifest besides its bytes. */
export interface ManifestContext {
  /** For messages. */
  readonly reference: string;
  /** From the Content-Type or the descriptor; undefined when neither says. */
  readonly mediaType: string | undefined;
}

const MAX_MANIFESTS = 2048;
const MAX_ANNOTATIONS = 4096;

/** The members by which the kinds of manifest are told apart. */
const PARTS: readonly (readonly [kind: string, members: readonly string[]])[] = [
  ['an index', ['manifests']],
  ['an image manifest', ['config', 'layers']],
  ['a schema 1 manifest', ['fsLayers', 'history']],
];

/**
 * Reads a manifest or index. What the transport called it, what it calls itself and what it contains must agree
 * (CVE-2021-41190): a document that could be read both ways is refused.
 *
 * @throws {RegistryError} ERR_RKT_REGISTRY_MANIFEST_INVALID, ERR_RKT_REGISTRY_UNSUPPORTED_MEDIA_TYPE
 */
export function parseManifest(bytes: Uint8Array, context: ManifestContext): Manifest {
  const { reference } = context;
  const fault = `manifest of ${reference} is invalid`;
  return readDocument(bytes, { code: 'ERR_RKT_REGISTRY_MANIFEST_INVALID', fault, reference }, (document) =>
    read(document, context),
  );
}

function read(document: JsonObject, context: ManifestContext): Manifest {
  const mediaType = agreedType(document, context);
  refuseSeveralKinds(document);
  const version = isSchema1Type(mediaType) ? 1 : 2;
  if (field(document, 'schemaVersion') !== version) throw new FieldError(`schemaVersion is not ${version}`);
  if (version === 1) return readSchema1(document, mediaType);
  if (isIndexType(mediaType)) {
    const entries = asArray(field(document, 'manifests'), 'manifests', MAX_MANIFESTS);
    return { kind: 'index', mediaType, manifests: entries.map((entry, i) => readDescriptor(entry, `manifests[${i}]`)) };
  }
  refuseArtifact(document, context);
  const layers = asArray(field(document, 'layers'), 'layers', MAX_LAYERS);
  return {
    kind: 'image',
    mediaType,
    config: readDescriptor(field(document, 'config'), 'config'),
    layers: layers.map((entry, index) => readDescriptor(entry, `layers[${index}]`)),
  };
}

function refuseSeveralKinds(document: JsonObject): void {
  const kinds = PARTS.filter(([, members]) => members.some((member) => field(document, member) !== undefined));
  if (kinds.length > 1) throw new FieldError(`it is ${kinds.map(([kind]) => kind).join(' and ')} at once`);
}

function agreedType(document: JsonObject, context: ManifestContext): string {
  const stated = optionalString(field(document, 'mediaType'), 'mediaType');
  const outer = context.mediaType === undefined ? undefined : essence(context.mediaType);
  const inner = stated === undefined ? undefined : essence(stated);
  const known = [inner, outer].filter((type) => type !== undefined && isKnown(type));
  if (inner !== undefined && outer !== undefined && isKnown(outer) && inner !== outer) {
    throw new FieldError(`it was announced as ${outer} and says it is ${inner}`);
  }
  if (known[0] !== undefined && (inner === undefined || inner === known[0])) return known[0];
  if (inner !== undefined || (outer !== undefined && !isUntyped(outer)))
    throw unsupported(context, inner ?? outer ?? '');
  if (field(document, 'schemaVersion') === 1) return SCHEMA1_MANIFEST;
  return field(document, 'manifests') === undefined ? OCI_MANIFEST : OCI_INDEX;
}

function isKnown(mediaType: string): boolean {
  return isIndexType(mediaType) || isImageManifestType(mediaType) || isSchema1Type(mediaType);
}

/** Types that servers of files put on anything: the document's own word counts then. */
function isUntyped(mediaType: string): boolean {
  return ['application/json', 'application/octet-stream', 'text/plain', ''].includes(mediaType);
}

function refuseArtifact(document: JsonObject, context: ManifestContext): void {
  const artifactType = optionalString(field(document, 'artifactType'), 'artifactType');
  const config = asObject(field(document, 'config'), 'config');
  const configType = essence(asString(field(config, 'mediaType'), 'config.mediaType'));
  if (isConfigType(configType)) return;
  const what = artifactType ?? configType;
  const text = `${context.reference} is not a container image but an artifact of type ${what}`;
  throw new RegistryError('ERR_RKT_REGISTRY_UNSUPPORTED_MEDIA_TYPE', text, {
    reference: context.reference,
    actual: what,
  });
}

function unsupported(context: ManifestContext, mediaType: string): RegistryError {
  const text = `${context.reference} has the unknown manifest type ${mediaType}`;
  return new RegistryError('ERR_RKT_REGISTRY_UNSUPPORTED_MEDIA_TYPE', text, {
    reference: context.reference,
    actual: mediaType,
  });
}

function readDescriptor(value: unknown, path: string): Descriptor {
  const object = asObject(value, path);
  const urls = field(object, 'urls');
  const annotations = field(object, 'annotations');
  const artifactType = optionalString(field(object, 'artifactType'), `${path}.artifactType`);
  const platform = field(object, 'platform');
  return {
    mediaType: essence(asString(field(object, 'mediaType'), `${path}.mediaType`)),
    digest: asDigest(field(object, 'digest'), `${path}.digest`),
    size: asSize(field(object, 'size'), `${path}.size`),
    ...(urls === undefined ? {} : { urls: asStrings(urls, `${path}.urls`, 64) }),
    ...(annotations === undefined
      ? {}
      : { annotations: asStringMap(annotations, `${path}.annotations`, MAX_ANNOTATIONS) }),
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(platform === undefined
      ? {}
      : { platform: readPlatform(asObject(platform, `${path}.platform`), `${path}.platform`) }),
  };
}

function readPlatform(object: JsonObject, path: string): Platform {
  return {
    os: asString(field(object, 'os'), `${path}.os`),
    architecture: asString(field(object, 'architecture'), `${path}.architecture`),
    ...readPlatformDetails(object, `${path}.`),
  };
}
