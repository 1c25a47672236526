// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '@rkt/refparse';
import { field, type JsonObject } from './json.ts';
import { canonicalArchitecture } from './platform.ts';
import type { Schema1Entry } from './schema1-entry.ts';
import type { Schema1Manifest } from './schema1-manifest.ts';

/** What an image configuration has besides platform, history and layers. The rest of an entry is about its build. */
const KEPT = ['created', 'author', 'os.version', 'os.features', 'variant', 'config'];

/**
 * The configuration of a schema 1 image as one of the OCI image spec, in UTF-8: the top entry's, with the history and the
 * diffIDs (as many as there are `blobSums`). The same input gives the same bytes. What does not say its platform is for
 * linux and amd64: its time knew little else.
 */
export function schema1Config(manifest: Schema1Manifest, diffIds: readonly Digest[]): Uint8Array {
  const top: JsonObject = manifest.history.at(-1)?.document ?? {};
  const architecture = field(top, 'architecture') || manifest.architecture || 'amd64';
  const config = {
    architecture: typeof architecture === 'string' ? canonicalArchitecture(architecture) : architecture,
    os: field(top, 'os') || 'linux',
    ...Object.fromEntries(KEPT.map((name) => [name, field(top, name)])),
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: manifest.history.map(toHistory),
  };
  return new TextEncoder().encode(JSON.stringify(config));
}

/** OCI image spec, "Image Configuration", `history`. */
function toHistory({ created, createdBy, author, comment, throwaway }: Schema1Entry): JsonObject {
  return { created, created_by: createdBy, author, comment, ...(throwaway ? { empty_layer: true } : {}) };
}
