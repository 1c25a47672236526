// SPDX-License-Identifier: Apache-2.0
import { basename, resolve } from 'node:path';
import { type ImageArgument, type Reference, tryParseReference, withDigest } from '@rkt/refparse';
import type { ImageRecord } from '@rkt/store';
import { CliError } from '../errors.ts';
import { oneLine } from '../render/quote.ts';
import type { Session } from '../wiring/session.ts';
import type { ObtainOptions } from './obtain-options.ts';
import { storeImage } from './store-image.ts';

/** `oci:DIRECTORY[:TAG|@DIGEST]` or `docker-archive:FILE[:REFERENCE]`, as parsed. */
export type ArchiveArgument = LayoutArgument | SavedArgument;
type LayoutArgument = ImageArgument & { readonly kind: 'oci' | 'oci-archive' };
type SavedArgument = ImageArgument & { readonly kind: 'docker-archive' };

/** Imports an image of an OCI layout or a `docker save` archive. Files of one's own are as unsigned as any. */
export async function importArchive(
  session: Session,
  argument: ArchiveArgument,
  options: ObtainOptions,
): Promise<ImageRecord> {
  const { kind, path } = argument;
  if (!session.globals.insecure.has('image')) {
    const what = kind === 'oci' ? 'OCI images' : 'docker images';
    throw new CliError(
      'ERR_RKT_CLI_SIGNATURE_REQUIRED',
      `signature verification for ${what} is not supported (try --insecure-options=image)`,
    );
  }
  const reference = argument.kind === 'docker-archive' ? savedReference(argument) : layoutReference(argument);
  session.io.stderr.write(`rkt: importing image from ${oneLine(argument.original)}\n`);
  const { libraries, interrupts } = session;
  const { signal } = interrupts;
  const source = await (kind === 'oci' ? libraries.openOciLayout(path) : libraries.openDockerArchive(path, signal));
  const { platform } = options;
  const image = await source.open(reference, { signal, ...(platform === undefined ? {} : { platform }) });
  return storeImage(session, image, options);
}

/** Layouts name images by tag or digest alone, so the directory gives the rest of the name. */
function layoutReference({ path, selector }: LayoutArgument): Reference {
  const tag = selector?.kind === 'tag' ? selector.tag : 'latest';
  const name = named(path, { tag, otherwise: 'oci' });
  return selector?.kind === 'digest' ? { ...withDigest(name, selector.digest), tag: undefined } : name;
}

/** Archives name images by whole references; one with a single image needs none, and the file gives the name. */
function savedReference({ path, reference }: SavedArgument): Reference {
  return reference ?? named(path.replace(/\.tar$/, ''), { tag: 'latest', otherwise: 'archive' });
}

interface Naming {
  readonly tag: string;
  /** What it is called when what the file is called is no repository name. */
  readonly otherwise: string;
}

function named(path: string, { tag, otherwise }: Naming): Reference {
  const base = basename(resolve(path)).toLowerCase();
  return (
    tryParseReference(`localhost/${base}:${tag}`, { mode: 'strict' }) ?? {
      domain: 'localhost',
      path: otherwise,
      tag,
      digest: undefined,
    }
  );
}
