// SPDX-License-Identifier: Apache-2.0
import { basename, resolve } from 'node:path';
import { type Reference, tryParseReference } from '@rkt/refparse';
import type { ImageRecord } from '@rkt/store';
import { CliError, usageError } from '../errors.ts';
import { oneLine, quote } from '../render/quote.ts';
import type { Session } from '../wiring/session.ts';
import type { ObtainOptions } from './obtain-image.ts';
import { storeImage } from './store-image.ts';

/** `oci:DIRECTORY[:TAG]` or `docker-archive:FILE[:REFERENCE]`, as parsed. */
export interface ArchiveArgument {
  readonly kind: 'oci' | 'docker-archive';
  readonly path: string;
  readonly selector: string | undefined;
  readonly original: string;
}

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
  const reference = kind === 'oci' ? layoutReference(argument) : savedReference(argument);
  session.io.stderr.write(`rkt: importing image from ${oneLine(argument.original)}\n`);
  const { libraries, interrupts } = session;
  const { signal } = interrupts;
  const source = await (kind === 'oci' ? libraries.openOciLayout(path) : libraries.openDockerArchive(path, signal));
  return storeImage(session, await source.open(reference, { signal }), options);
}

/** Layouts name images by tag alone, so the directory gives the rest of the name. */
function layoutReference({ path, selector = 'latest' }: ArchiveArgument): Reference {
  const base = basename(resolve(path)).toLowerCase();
  const reference =
    tryParseReference(`localhost/${base}:${selector}`) ?? tryParseReference(`localhost/oci:${selector}`);
  if (reference === undefined) throw usageError(`${quote(selector)} is no tag`);
  return reference;
}

/** Archives name images by whole references; one with a single image needs none, and the file gives the name. */
function savedReference({ path, selector }: ArchiveArgument): Reference {
  const base = basename(resolve(path), '.tar').toLowerCase();
  const reference =
    selector === undefined
      ? (tryParseReference(`localhost/${base}:latest`) ?? tryParseReference('localhost/archive:latest'))
      : tryParseReference(selector);
  if (reference === undefined) throw usageError(`${quote(selector ?? '')} is no reference`);
  return reference;
}
