// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ArchiveFile, ExportedImage } from '@rkt/docker2aci';
import { formatRepository, type Reference, tryParseReference } from '@rkt/refparse';
import type { AbortOptions, ImageRecord, Store, StoredLayer } from '@rkt/store';
import { CliError, isCliError } from '../errors.ts';
import { writeOutputDirectory } from '../files/output-directory.ts';
import { writeOutput } from '../files/write-output.ts';
import type { Session } from '../wiring/session.ts';
import { exportNames } from './export-names.ts';
import type { ExportTarget } from './export-target.ts';
import { readFile } from './file-input.ts';
import { referenceOf } from './image-names.ts';
import type { OpenedImage } from './open-stored-image.ts';

const SHORT_ID = 'sha512-'.length + 12;

type ArchiveTarget = Exclude<ExportTarget, { kind: 'aci' }>;

export interface ExportArchive {
  /** What the user called the image. */
  readonly typed: string;
  readonly target: ArchiveTarget;
  readonly overwrite: boolean;
}

/**
 * Exports an image as Docker and OCI tools have it: the configuration it was made from and its layers, uncompressed.
 * @throws {CliError} ERR_RKT_CLI_FILE, ERR_RKT_CLI_UNSUPPORTED
 */
export async function exportArchive(
  session: Session,
  { store, image }: OpenedImage,
  { typed, target, overwrite }: ExportArchive,
): Promise<void> {
  await using lease = await store.lease();
  await lease.retain(image.id);
  const names = exportNames(typed, image);
  if (names.length === 0 && givenName(target) === undefined) session.say(`warning: ${namelessText(image)}`);
  const layers = await store.listLayers(image.id);
  const files = await archiveFiles({ store, image }, { target, names, layers });
  const { signal } = session.interrupts;
  if (target.kind === 'oci') {
    const output = { path: target.path, overwrite, keep: [await session.dataDir()] };
    return await writeOutputDirectory(output, (directory) => writeFiles(directory, files, { layers, signal }));
  }
  const { tarOf } = await import('@rkt/docker2aci');
  await writeOutput(session, { path: target.path, overwrite, what: 'archive' }, tarOf(files, { signal }));
}

function givenName(target: ArchiveTarget): Reference | string | undefined {
  return target.kind === 'docker-archive' ? target.reference : target.name;
}

function namelessText({ id, name }: ImageRecord): string {
  const reference = referenceOf(name);
  const form = reference === undefined ? 'NAME:TAG' : `${formatRepository(reference)}:TAG`;
  return `image ${id.slice(0, SHORT_ID)} has no tag, so the file has no name for it: give one after the path, for example :${form}`;
}

interface Exporting {
  readonly target: ArchiveTarget;
  /** Those of the image itself. */
  readonly names: readonly Reference[];
  readonly layers: readonly StoredLayer[];
}

async function archiveFiles(
  { store, image }: OpenedImage,
  { target, names, layers }: Exporting,
): Promise<readonly ArchiveFile[]> {
  const { dockerArchiveFiles, ociLayoutFiles } = await import('@rkt/docker2aci');
  const exported = await exportedImage(store, image, layers);
  if (target.kind !== 'docker-archive') {
    const { name, reference } = layoutName(image, target.name, names);
    return ociLayoutFiles(underName(exported, image, reference), { name, reference });
  }
  const { reference } = target;
  const references = reference?.tag === undefined ? names : [reference];
  return dockerArchiveFiles(underName(exported, image, reference), { references });
}

/** A tag is one of the repository the image is from; programs that choose images by name want one entry, so it has one name. */
function layoutName(
  image: ImageRecord,
  given: string | undefined,
  names: readonly Reference[],
): { readonly name: string | undefined; readonly reference: Reference | undefined } {
  if (given !== undefined && /[:/]/.test(given)) return { name: given, reference: tryParseReference(given) };
  const own = names.at(-1) ?? referenceOf(image.name);
  const tag = given ?? own?.tag;
  const reference = own === undefined || tag === undefined ? undefined : { ...own, tag, digest: undefined };
  return { name: tag, reference };
}

/** Under the name of another it is another image: names are part of what an ID is made of. */
function underName(exported: ExportedImage, { names }: ImageRecord, reference: Reference | undefined): ExportedImage {
  const { origin } = exported;
  if (reference === undefined || origin === undefined) return exported;
  const repositories = [origin.repository, ...names.map(referenceOf)];
  const isOwn = repositories.some((own) => own?.domain === reference.domain && own.path === reference.path);
  return isOwn ? exported : { ...exported, origin: undefined };
}

async function exportedImage(
  store: Store,
  { id }: ImageRecord,
  layers: readonly StoredLayer[],
): Promise<ExportedImage> {
  const configBytes = await store.getConfig(id);
  if (configBytes === undefined) {
    throw new CliError('ERR_RKT_CLI_UNSUPPORTED', `image ${id} was not made from a Docker or OCI image`, {
      hint: 'export it as an ACI: rkt image export IMAGE FILE.aci',
    });
  }
  const { imageOrigin } = await import('@rkt/docker2aci');
  const { manifest } = await store.getImage(id);
  const exported = layers.map(({ diffId, size }) => ({
    diffId,
    size,
    read: (options: AbortOptions) => store.readLayer(diffId, options),
  }));
  return { configBytes, layers: exported, origin: imageOrigin(manifest) };
}

interface Writing extends AbortOptions {
  readonly layers: readonly StoredLayer[];
}

async function writeFiles(
  directory: string,
  files: readonly ArchiveFile[],
  { layers, signal }: Writing,
): Promise<void> {
  // Not with its parents: a path that was mistyped is an error.
  await mkdir(directory, { mode: 0o755 });
  const options = signal === undefined ? {} : { signal };
  for (const { name, content } of files) {
    signal?.throwIfAborted();
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    if (content instanceof Uint8Array) {
      await writeFile(path, content, { flag: 'wx', mode: 0o644 });
      continue;
    }
    const stored = layers.find(({ diffId }) => diffId === content.diffId);
    if (stored !== undefined && (await sharesBlocks(stored, path, options))) continue;
    await writeFile(path, content.read(options), { flag: 'wx', mode: 0o644 });
  }
}

/**
 * On file systems that can, the file shares the blocks of a layer of the store. What is handed out is verified, not what it was
 * taken from; where it is wrong it goes, and reading the layer says why. The store's own files are nobody else's to read.
 */
async function sharesBlocks(
  { path: source, diffId }: StoredLayer,
  path: string,
  options: AbortOptions,
): Promise<boolean> {
  try {
    await copyFile(source, path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
  } catch {
    // Where it fails for another reason than that it cannot be had, writing fails, too, and says why.
    return false;
  }
  if ((await digestOf(path, options)) === diffId) {
    await chmod(path, 0o644);
    return true;
  }
  await rm(path);
  return false;
}

/** Undefined where the disk does not give all of it back. */
async function digestOf(path: string, { signal }: AbortOptions): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of readFile(path)) {
      signal?.throwIfAborted();
      hash.update(chunk);
    }
  } catch (error) {
    if (isCliError(error)) return undefined;
    throw error;
  }
  return `sha256:${hash.digest('hex')}`;
}
