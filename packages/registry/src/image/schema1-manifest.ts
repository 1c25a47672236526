// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '@rkt/refparse';
import { asArray, asDigest, asObject, asString, FieldError, field, type JsonObject, optionalString } from './json.ts';
import { MAX_LAYERS } from './limits.ts';
import { readSchema1Entry, type Schema1Entry } from './schema1-entry.ts';

/**
 * A manifest of one image of the years before 2017. Docker image manifest v2, schema 1. It states neither sizes nor
 * diffIDs, and its name and tag are not looked at: copies under other names keep them, and nobody vouches for them.
 */
export interface Schema1Manifest {
  readonly kind: 'schema1';
  readonly mediaType: string;
  /** Of the blobs of the layers, base first. One may come again: changes of the configuration alone share an empty one. */
  readonly blobSums: readonly Digest[];
  /** Base first; as many without `throwaway` as there are blobs. The last one's configuration is the image's. */
  readonly history: readonly Schema1Entry[];
  /** What the image runs on, for configurations that do not say it. */
  readonly architecture: string | undefined;
}

/** With those that have no layer. */
const MAX_HISTORY = 1024;

interface Step {
  readonly entry: Schema1Entry;
  readonly blobSum: Digest;
}

/** Reads a document that has been found to be of schema 1. @throws FieldError */
export function readSchema1(document: JsonObject, mediaType: string): Schema1Manifest {
  // What a digest asks for would lose these again and be something else.
  if (field(document, 'signatures') !== undefined) throw new FieldError('what is signed has signatures itself');
  for (const name of ['name', 'tag']) optionalString(field(document, name), name);
  const steps = withoutRepetitions(checkChain(readSteps(document))).reverse();
  const blobSums = steps.filter(({ entry }) => !entry.throwaway).map(({ blobSum }) => blobSum);
  if (blobSums.length > MAX_LAYERS) throw new FieldError(`it has ${blobSums.length} layers, more than ${MAX_LAYERS}`);
  return {
    kind: 'schema1',
    mediaType,
    blobSums,
    history: steps.map(({ entry }) => entry),
    architecture: optionalString(field(document, 'architecture'), 'architecture') || undefined,
  };
}

/** Top first, as the document has them. */
function readSteps(document: JsonObject): readonly Step[] {
  const layers = asArray(field(document, 'fsLayers'), 'fsLayers', MAX_HISTORY);
  const history = asArray(field(document, 'history'), 'history', MAX_HISTORY);
  if (layers.length !== history.length) {
    throw new FieldError(`it has ${layers.length} fsLayers and ${history.length} entries of history`);
  }
  if (layers.length === 0) throw new FieldError('it has no fsLayers');
  return layers.map((layer, index) => {
    const at = `fsLayers[${index}]`;
    const path = `history[${index}].v1Compatibility`;
    const compatibility = asString(field(asObject(history[index], `history[${index}]`), 'v1Compatibility'), path);
    return {
      blobSum: asDigest(field(asObject(layer, at), 'blobSum'), `${at}.blobSum`),
      entry: readSchema1Entry(compatibility, path),
    };
  });
}

/** Each is the child of the next, the last of nobody, and no ID comes again but in a row. */
function checkChain(steps: readonly Step[]): readonly Step[] {
  const seen = new Set<string>();
  for (const [index, { entry }] of steps.entries()) {
    const below = steps[index + 1]?.entry;
    if (entry.id === below?.id) continue;
    if (seen.has(entry.id)) throw new FieldError(`history has the ID ${entry.id} in several places`);
    seen.add(entry.id);
    if (entry.parent === below?.id) continue;
    const expected = below === undefined ? 'none' : below.id;
    throw new FieldError(`history[${index}]: expected the parent ${expected}, got ${entry.parent ?? 'none'}`);
  }
  return steps;
}

/** Old registries wrote an entry twice; the lowest counts, as in every engine. */
function withoutRepetitions(steps: readonly Step[]): Step[] {
  return steps.filter(({ entry }, index) => entry.id !== steps[index + 1]?.entry.id);
}
