// SPDX-License-Identifier: Apache-2.0
import type { Store } from '@rkt/store';
import { CliError } from '../errors.ts';
import { nearest } from '../help/suggest.ts';
import { quote } from '../render/quote.ts';
import { familiarName } from './image-names.ts';

const MOST_MEANT = 3;

/** That no image is called so, and which names of the store were most likely meant. */
export async function noSuchImage(
  store: Store | undefined,
  typed: string,
  { message, cause, hint }: { readonly message: string; readonly cause?: unknown; readonly hint?: string | undefined },
): Promise<CliError> {
  const images = (await store?.listImages()) ?? [];
  const meant = meantNames(
    images.flatMap(({ names }) => names.map(familiarName)),
    typed,
  );
  const asked = meant.length === 0 ? '' : ` (did you mean ${meant.map((name) => quote(name)).join(' or ')}?)`;
  // Who sees the name needs no list of them.
  const otherwise = meant.length === 0 ? "run 'rkt image list' to see what the store has" : undefined;
  const told = hint ?? otherwise;
  return new CliError('ERR_RKT_CLI_IMAGE_NOT_IN_STORE', message + asked, {
    cause,
    ...(told === undefined ? {} : { hint: told }),
  });
}

/** Names whose last part is the word, be it without tag; for want of one, the name that takes the fewest edits. */
export function meantNames(names: readonly string[], typed: string): readonly string[] {
  const spelled = names.map((name) => ({ name, spellings: spellingsOf(name) }));
  const same = spelled.filter(({ spellings }) => spellings.includes(typed)).map(({ name }) => name);
  if (same.length > 0) return [...new Set(same)].slice(0, MOST_MEANT);
  const near = nearest(
    typed,
    spelled.flatMap(({ spellings }) => spellings),
  );
  return spelled
    .filter(({ spellings }) => near !== undefined && spellings.includes(near))
    .map(({ name }) => name)
    .slice(0, 1);
}

function spellingsOf(name: string): readonly string[] {
  const untagged = name.replace(/(:[^:/@]+|@.*)$/, '');
  const last = (text: string): string => text.slice(text.lastIndexOf('/') + 1);
  return [name, untagged, last(name.replace(/@.*$/, '')), last(untagged)];
}
