// SPDX-License-Identifier: Apache-2.0
import type { ImageArchive } from '@rkt/docker2aci';
import type { ImageArgument } from '@rkt/refparse';
import type { ImageRecord } from '@rkt/store';
import { CliError } from '../errors.ts';
import { oneLine } from '../render/quote.ts';
import type { Session } from '../wiring/session.ts';
import { archiveReference } from './archive-reference.ts';
import type { ObtainOptions } from './obtain-image.ts';
import { storeImage } from './store-image.ts';

/** `oci:DIRECTORY[:TAG|@DIGEST]`, `oci-archive:FILE[:TAG|@DIGEST]` or `docker-archive:FILE[:REFERENCE]`, as parsed. */
export type ArchiveArgument = ImageArgument & { readonly kind: 'oci' | 'oci-archive' | 'docker-archive' };

/** Imports an image of an OCI layout or a `docker save` archive. Files of one's own are as unsigned as any. */
export async function importArchive(
  session: Session,
  argument: ArchiveArgument,
  options: ObtainOptions,
): Promise<ImageRecord> {
  if (!session.globals.insecure.has('image')) {
    const what = argument.kind === 'docker-archive' ? 'docker images' : 'OCI images';
    throw new CliError(
      'ERR_RKT_CLI_SIGNATURE_REQUIRED',
      `signature verification for ${what} is not supported (try --insecure-options=image)`,
    );
  }
  session.io.stderr.write(`rkt: importing image from ${oneLine(argument.original)}\n`);
  const { signal } = session.interrupts;
  const archive = await openArchive(session, argument);
  return storeImage(session, await archive.open(archiveReference(argument, archive), { signal }), options);
}

function openArchive({ libraries, interrupts }: Session, { kind, path }: ArchiveArgument): Promise<ImageArchive> {
  const { signal } = interrupts;
  if (kind === 'oci') return libraries.openOciLayout(path);
  return kind === 'oci-archive' ? libraries.openOciArchive(path, signal) : libraries.openDockerArchive(path, signal);
}
