// SPDX-License-Identifier: Apache-2.0
import { acVersionField } from './ac-version.ts';
import { acIdentifierField, acNameField, asApp, asPort, labels, namedValues } from './app.ts';
import { isImageId } from './image-id.ts';
import type { ImageId } from './image-manifest.ts';
import { asIsolator } from './isolators.ts';
import {
  arrayOf,
  asAbsolutePath,
  asBoolean,
  asObject,
  type FieldParser,
  integerIn,
  invalid,
  namedArrayOf,
  objectOf,
  oneOf,
  optional,
  stringMap,
  stringOf,
  toJson,
  toUtf8,
} from './json-fields.ts';
import type { ExposedPort, Mount, PodManifest, RuntimeApp, RuntimeImage, Volume } from './pod-manifest.ts';

const id: FieldParser<number> = integerIn(0, 0xffff_ffff);

const plainMount: FieldParser<Mount> = objectOf<Mount>({ volume: acNameField, path: asAbsolutePath });

const runtimeImage: FieldParser<RuntimeImage> = objectOf<RuntimeImage>({
  name: optional(acIdentifierField),
  id: asImageId,
  labels: optional(labels),
});

const runtimeApp: FieldParser<RuntimeApp> = objectOf<RuntimeApp>({
  name: acNameField,
  image: runtimeImage,
  app: asApp,
  readOnlyRootFS: optional(asBoolean),
  mounts: optional(arrayOf(asMount)),
  annotations: optional(namedValues),
});

const plainVolume: FieldParser<Volume> = objectOf<Volume>({
  name: acNameField,
  kind: oneOf(['host', 'empty', 'tmpfs']),
  source: optional(asAbsolutePath),
  readOnly: optional(asBoolean),
  recursive: optional(asBoolean),
  mode: optional(stringOf((text) => /^[0-7]{1,5}$/.test(text), 'octal digits')),
  uid: optional(id),
  gid: optional(id),
});

const exposedPort: FieldParser<ExposedPort> = objectOf<ExposedPort>({
  name: acNameField,
  // 0: whoever runs the pod chooses one.
  hostPort: integerIn(0, 65_535),
  hostIP: optional(stringOf((text) => /^[0-9A-Fa-f:.]{2,45}$/.test(text), 'an IP address')),
  podPort: optional(asPort),
});

const podManifest: FieldParser<PodManifest> = objectOf<PodManifest>({
  acVersion: acVersionField,
  acKind: oneOf(['PodManifest']),
  apps: namedArrayOf(runtimeApp),
  volumes: optional(namedArrayOf(asVolume)),
  isolators: optional(arrayOf(asIsolator)),
  annotations: optional(namedValues),
  ports: optional(arrayOf(exposedPort)),
  userAnnotations: optional(stringMap),
  userLabels: optional(stringMap),
});

/**
 * Reads a pod manifest (appc spec 0.8.11, "Pod Manifest Schema") from JSON text or a parsed value. Every app must bring its
 * `app` section and a whole image ID: the manifest says all that is needed to run the pod.
 *
 * @throws AppcError `ERR_RKT_APPC_MANIFEST` with the `path` of the property at fault.
 */
export function parsePodManifest(json: unknown): PodManifest {
  return podManifest(toJson(json), '');
}

/**
 * The pod manifest in its one written form; see `serializeImageManifest`.
 *
 * @throws AppcError `ERR_RKT_APPC_MANIFEST` if `manifest` could not be read back.
 */
export function serializePodManifest(manifest: PodManifest): Uint8Array {
  return toUtf8(parsePodManifest(manifest));
}

function asImageId(value: unknown, path: string): ImageId {
  if (!isImageId(value)) throw invalid(path, 'sha512- and 128 hex digits', value);
  return value;
}

function asMount(value: unknown, path: string): Mount {
  // Left out like any unknown property, a volume of its own would silently become another one or none.
  const own = asObject(value, path)['appVolume'];
  if (own !== undefined && own !== null) throw invalid(`${path}.appVolume`, 'absent: volumes belong to the pod', own);
  return plainMount(value, path);
}

function asVolume(value: unknown, path: string): Volume {
  const volume = plainVolume(value, path);
  if (volume.kind === 'host') {
    if (volume.source === undefined) throw invalid(`${path}.source`, 'given for a host volume', undefined);
    for (const property of ['mode', 'uid', 'gid'] as const) {
      if (volume[property] !== undefined)
        throw invalid(`${path}.${property}`, 'absent for a host volume', volume[property]);
    }
  } else if (volume.source !== undefined) {
    throw invalid(`${path}.source`, `absent for a volume of kind ${volume.kind}`, volume.source);
  }
  return volume;
}
