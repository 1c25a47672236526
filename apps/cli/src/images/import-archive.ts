// SPDX-License-Identifier: Apache-2.0
import type { ImageArchive } from '@rkt/docker2aci';
import type { ImageArgument } from '@rkt/refparse';
import type { ImageRecord, TemporaryFile } from '@rkt/store';
import { CliError } from '../errors.ts';
import type { Session } from '../wiring/session.ts';
import { archiveReference } from './archive-reference.ts';
import { readFile, STANDARD_INPUT, terminalInput } from './file-input.ts';
import { importNamed } from './import-named.ts';
import type { ObtainOptions } from './obtain-options.ts';
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
  session.note(`importing image from ${argument.original}`);
  const { signal } = session.interrupts;
  const { platform } = options;
  await using place = await readableArchive(session, argument);
  const archive = await openArchive(session, argument.kind, place);
  const image = await archive.open(archiveReference(argument, archive), {
    signal,
    ...(platform === undefined ? {} : { platform }),
  });
  return await importNamed(session, await session.store(), () => storeImage(session, image, options));
}

/** Where an archive can be read, and what it is called. */
interface Place extends TemporaryFile {
  readonly name: string;
}

/** Archives are read in place, which pipes and compressed files do not allow: those are unpacked first. */
async function readableArchive(session: Session, { kind, path }: ArchiveArgument): Promise<Place> {
  const { libraries, interrupts, io } = session;
  const isInput = path === STANDARD_INPUT && kind !== 'oci';
  if (kind === 'oci' || (!isInput && (await libraries.isReadableInPlace(path)))) {
    return { path, name: path, [Symbol.asyncDispose]: async () => undefined };
  }
  if (isInput && io.stdinIsTTY) throw terminalInput('an archive');
  const file = await (await session.store()).temporaryFile();
  const name = isInput ? 'standard input' : path;
  try {
    const source = isInput ? io.readBytes() : readFile(path);
    await libraries.unpackArchive(source, { name, path: file.path, signal: interrupts.signal });
    return { ...file, name };
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
}

function openArchive(
  { libraries, interrupts: { signal } }: Session,
  kind: ArchiveArgument['kind'],
  { path, name }: Place,
): Promise<ImageArchive> {
  if (kind === 'oci') return libraries.openOciLayout(path);
  const options = { signal, name };
  return kind === 'oci-archive' ? libraries.openOciArchive(path, options) : libraries.openDockerArchive(path, options);
}
