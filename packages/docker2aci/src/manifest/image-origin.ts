// SPDX-License-Identifier: Apache-2.0
import type { ImageManifest } from '@rkt/appc';
import { type Digest, isDigest, type Repository, tryParseReference } from '@rkt/refparse';
import { HUB_REGISTRY } from './hub-registry.ts';

/** What an image ID depends on besides configuration and layers. */
export interface ImageOrigin {
  readonly repository: Repository;
  /** Of the manifest the image was converted from. */
  readonly manifestDigest: Digest;
}

/** Where a converted image came from, as its manifest says; undefined for an image that was not converted. */
export function imageOrigin(manifest: ImageManifest): ImageOrigin | undefined {
  const annotation = (name: string): string | undefined =>
    manifest.annotations?.find((each) => each.name === `appc.io/docker/${name}`)?.value;
  const registry = annotation('registryurl');
  const domain = registry === HUB_REGISTRY ? 'docker.io' : registry;
  return toOrigin(`${domain}/${annotation('repository')}`, annotation('manifesthash'));
}

const REPOSITORY = 'io.appc.origin.repository';
const MANIFEST = 'io.appc.origin.manifest';

/**
 * The origin as annotations of an exported image. An export has another manifest than the registry had, since its layers
 * are not compressed: with these, an image that is imported again gets the ID it had.
 */
export function originAnnotations({ repository, manifestDigest }: ImageOrigin): Readonly<Record<string, string>> {
  return { [MANIFEST]: manifestDigest, [REPOSITORY]: `${repository.domain}/${repository.path}` };
}

/** What such annotations say; undefined where they say nothing, or something that cannot be. */
export function readOrigin(annotations: unknown): ImageOrigin | undefined {
  if (typeof annotations !== 'object' || annotations === null) return undefined;
  const { [REPOSITORY]: name, [MANIFEST]: digest }: Readonly<Record<string, unknown>> = { ...annotations };
  return toOrigin(name, digest);
}

function toOrigin(name: unknown, manifestDigest: unknown): ImageOrigin | undefined {
  if (typeof name !== 'string' || typeof manifestDigest !== 'string' || !isDigest(manifestDigest)) return undefined;
  const reference = tryParseReference(name, { mode: 'strict' });
  if (reference === undefined || reference.tag !== undefined || reference.digest !== undefined) return undefined;
  return { repository: { domain: reference.domain, path: reference.path }, manifestDigest };
}
