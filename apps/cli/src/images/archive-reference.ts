// SPDX-License-Identifier: Apache-2.0
import { basename, resolve } from 'node:path';
import type { ImageArchive } from '@rkt/docker2aci';
import { type Reference, tryParseReference, withDigest } from '@rkt/refparse';
import { usageError } from '../errors.ts';
import { quote } from '../render/quote.ts';
import { STANDARD_INPUT } from './file-input.ts';
import type { ArchiveArgument } from './import-archive.ts';

const CANDIDATES_SHOWN = 20;

/**
 * Which image of an archive is meant, and what it is called: as the archive calls it, or after the file if that has no
 * name for it.
 * @throws {CliError} ERR_RKT_CLI_USAGE where several images could be meant
 */
export function archiveReference(argument: ArchiveArgument, archive: ImageArchive): Reference {
  return argument.kind === 'docker-archive' ? savedReference(argument, archive) : layoutReference(argument, archive);
}

type LayoutArgument = ArchiveArgument & { readonly kind: 'oci' | 'oci-archive' };
type SavedArgument = ArchiveArgument & { readonly kind: 'docker-archive' };

/** Layouts name images by tag or digest, and by references in full. */
function layoutReference({ path, selector, kind }: LayoutArgument, archive: ImageArchive): Reference {
  const tag = selector?.kind === 'tag' ? selector.tag : 'latest';
  const fileName = named(path, { tag, otherwise: 'oci' });
  if (selector?.kind === 'digest') return { ...withDigest(fileName, selector.digest), tag: undefined };
  const references = archive.images.flatMap(({ names }) => names.flatMap(fullReference).slice(0, 1));
  if (selector !== undefined) return references.find((reference) => reference.tag === tag) ?? fileName;
  const [only] = references;
  if (archive.images.length === 1) return only ?? fileName;
  if (archive.images.some(({ names }) => names.includes(tag))) return fileName;
  throw several(archive, path, `${kind}:${path}:TAG`);
}

/** Saved archives name images by whole references; one with a single image needs none. */
function savedReference({ path, reference }: SavedArgument, archive: ImageArchive): Reference {
  if (reference !== undefined) return reference;
  if (archive.images.length > 1) throw several(archive, path, `docker-archive:${path}:NAME:TAG`);
  const tagged = (archive.images[0]?.names ?? []).map((name) => tryParseReference(name)).find((parsed) => parsed?.tag);
  return tagged ?? named(path, { tag: 'latest', otherwise: 'archive' });
}

function several({ images }: ImageArchive, path: string, form: string): Error {
  const shown = images.slice(0, CANDIDATES_SHOWN).map(({ names }) => quote(names[0] ?? 'one without a name'));
  const more = images.length > shown.length ? `, and ${images.length - shown.length} more` : '';
  return usageError(`${quote(path)} has several images: ${shown.join(', ')}${more}`, `choose one: ${form}`);
}

/** A name that says where an image is from; a mere tag does not. */
function fullReference(name: string): readonly Reference[] {
  const parsed = tryParseReference(name, { mode: 'strict' });
  return parsed?.tag === undefined ? [] : [parsed];
}

interface Naming {
  readonly tag: string;
  /** What it is called when what the file is called is no repository name. */
  readonly otherwise: string;
}

function named(path: string, { tag, otherwise }: Naming): Reference {
  const file = basename(resolve(path)).toLowerCase();
  const base = path === STANDARD_INPUT ? otherwise : file.replace(/\.(tar|tgz)(\.gz|\.zst)?$/, '');
  return (
    tryParseReference(`localhost/${base}:${tag}`, { mode: 'strict' }) ?? {
      domain: 'localhost',
      path: otherwise,
      tag,
      digest: undefined,
    }
  );
}
