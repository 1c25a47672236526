// SPDX-License-Identifier: Apache-2.0
import { type Reference, tryParseReference } from '@rkt/refparse';
import type { ImageRecord } from '@rkt/store';
import { appcNameOf } from './appc-name.ts';
import { imageArgument } from './image-argument.ts';
import { referenceOf, storedName } from './image-names.ts';

/**
 * The names an image is exported under, each with a tag: the one it was asked for by, as with `docker save` and `podman save`;
 * all it has, the latest last, where that was an ID or a digest.
 */
export function exportNames(typed: string, image: ImageRecord): readonly Reference[] {
  const tagged = image.names.flatMap((name) => {
    const reference = referenceOf(name);
    return reference?.tag === undefined ? [] : [reference];
  });
  const asked = askedFor(typed);
  if (asked === undefined) return tagged;
  // With docker:// it is what came from there, whatever else is called so by now.
  if (asked.isRemote || image.names.includes(storedName(asked.reference))) return [asked.reference];
  const manifestName = typed.replace(/:[^:/]*$/, '');
  const named = tagged.filter((name) => appcNameOf(storedName(name)) === manifestName);
  return named.length > 0 ? named : tagged;
}

interface Asked {
  readonly reference: Reference;
  readonly isRemote: boolean;
}

/** What was typed, if that is a name with a tag, written or meant. */
function askedFor(typed: string): Asked | undefined {
  const argument = imageArgument(typed);
  if (argument.kind === 'image-id') return undefined;
  const reference = argument.kind === 'docker' ? argument.reference : tryParseReference(typed);
  if (reference?.tag === undefined || reference.digest !== undefined) return undefined;
  return { reference, isRemote: argument.kind === 'docker' };
}
