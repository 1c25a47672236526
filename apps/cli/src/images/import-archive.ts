// SPDX-License-Identifier: Apache-2.0
import type { ConvertibleImage, ImageArchive } from '@rkt/docker2aci';
import type { ImageArgument } from '@rkt/refparse';
import type { OpenImageOptions } from '@rkt/registry';
import type { ImageRecord, TemporaryFile } from '@rkt/store';
import { CliError } from '../errors.ts';
import type { Session } from '../wiring/session.ts';
import { chooseArchived } from './choose-archived.ts';
import { readFile, STANDARD_INPUT, terminalInput } from './file-input.ts';
import { storedName } from './image-names.ts';
import { importNamed } from './import-named.ts';
import type { ObtainOptions } from './obtain-options.ts';
import { type StoreImageOptions, storeImage } from './store-image.ts';

/** `oci:DIRECTORY[:NAME|@DIGEST]`, `oci-archive:FILE[:NAME|@DIGEST]` or `docker-archive:FILE[:REFERENCE]`, as parsed. */
export type ArchiveArgument = ImageArgument & { readonly kind: 'oci' | 'oci-archive' | 'docker-archive' };

/** `rootfs:FILE[:REFERENCE]`, as parsed: a tar of files alone. */
export type RootfsArgument = ImageArgument & { readonly kind: 'rootfs' };

/** Imports an image of an OCI layout or a `docker save` archive. Files of one's own are as unsigned as any. */
export async function importArchive(
  session: Session,
  argument: ArchiveArgument,
  options: ObtainOptions,
): Promise<ImageRecord> {
  begin(session, argument);
  await using place = await readableArchive(session, argument);
  const archive = await openArchive(session, argument.kind, place);
  const { image, references } = await chooseArchived(argument, archive);
  const [reference, ...others] = references;
  return await store(session, await archive.open(reference, { image, ...opening(session, options) }), {
    ...options,
    otherNames: others.map(storedName),
  });
}

/** Imports a tar of files alone: an image that does not say what to run. */
export async function importRootfs(
  session: Session,
  argument: RootfsArgument,
  options: ObtainOptions,
): Promise<ImageRecord> {
  begin(session, argument);
  await using place = await readableArchive(session, argument);
  const { path, name } = place;
  const { reference } = argument;
  const image = await session.libraries.openRootfs(path, { name, reference, ...opening(session, options) });
  return await store(session, image, options);
}

const KINDS = {
  'docker-archive': 'docker images',
  oci: 'OCI images',
  'oci-archive': 'OCI images',
  rootfs: 'root filesystems',
};

function begin(session: Session, { kind, original }: ArchiveArgument | RootfsArgument): void {
  if (!session.globals.insecure.has('image')) {
    throw new CliError(
      'ERR_RKT_CLI_SIGNATURE_REQUIRED',
      `signature verification for ${KINDS[kind]} is not supported (try --insecure-options=image)`,
    );
  }
  session.note(`importing image from ${original}`);
}

function opening({ interrupts: { signal } }: Session, { platform }: ObtainOptions): OpenImageOptions {
  return { signal, ...(platform === undefined ? {} : { platform }) };
}

type ImportOptions = Omit<StoreImageOptions, 'source'>;

async function store(session: Session, image: ConvertibleImage, options: ImportOptions): Promise<ImageRecord> {
  const names = [storedName(image.reference), ...(options.otherNames ?? [])];
  return await importNamed(session, () => storeImage(session, image, { ...options, source: 'archive' }), names);
}

/** Where an archive can be read, and what it is called. */
interface Place extends TemporaryFile {
  readonly name: string;
}

/** Archives are read in place, which pipes and compressed files do not allow: those are unpacked first. */
async function readableArchive(session: Session, { kind, path }: ArchiveArgument | RootfsArgument): Promise<Place> {
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
