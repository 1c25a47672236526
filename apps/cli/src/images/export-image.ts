// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:fs';
import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ArchiveFile, ExportedImage } from '@rkt/docker2aci';
import type { AbortOptions, ImageRecord, Store, StoredLayer } from '@rkt/store';
import { CliError } from '../errors.ts';
import { writeOutputDirectory } from '../files/output-directory.ts';
import { writeOutput } from '../files/write-output.ts';
import type { Session } from '../wiring/session.ts';
import type { ExportTarget } from './export-target.ts';
import { referenceOf, versionOf } from './image-names.ts';
import type { OpenedImage } from './open-stored-image.ts';

type ArchiveTarget = Exclude<ExportTarget, { kind: 'aci' }>;

/**
 * Exports an image as Docker and OCI tools have it: the configuration it was made from and its layers, uncompressed.
 * @throws {CliError} ERR_RKT_CLI_FILE, ERR_RKT_CLI_UNSUPPORTED
 */
export async function exportArchive(
  session: Session,
  { store, image }: OpenedImage,
  { target, overwrite }: { readonly target: ArchiveTarget; readonly overwrite: boolean },
): Promise<void> {
  await using lease = await store.lease();
  await lease.retain(image.id);
  const layers = await store.listLayers(image.id);
  const files = await archiveFiles(store, image, { target, layers });
  const { signal } = session.interrupts;
  if (target.kind === 'oci') {
    const output = { path: target.path, overwrite, keep: [await session.dataDir()] };
    return await writeOutputDirectory(output, (directory) => writeFiles(directory, files, { layers, signal }));
  }
  const { tarOf } = await import('@rkt/docker2aci');
  await writeOutput(session, { path: target.path, overwrite, what: 'archive' }, tarOf(files, { signal }));
}

interface Export {
  readonly target: ArchiveTarget;
  readonly layers: readonly StoredLayer[];
}

async function archiveFiles(
  store: Store,
  image: ImageRecord,
  { target, layers }: Export,
): Promise<readonly ArchiveFile[]> {
  const { dockerArchiveFiles, ociLayoutFiles } = await import('@rkt/docker2aci');
  const exported = await exportedImage(store, image, layers);
  if (target.kind !== 'docker-archive') {
    const tag = target.tag ?? versionOf(image.name);
    const name = referenceOf(image.name);
    const reference = name === undefined || tag === undefined ? undefined : { ...name, tag, digest: undefined };
    return ociLayoutFiles(exported, { tag, reference });
  }
  const reference = target.reference ?? referenceOf(image.name);
  const { origin } = exported;
  // Under another name it is another image: names are part of what an ID is made of.
  const isRenamed =
    target.reference !== undefined &&
    (target.reference.domain !== origin?.repository.domain || target.reference.path !== origin.repository.path);
  return dockerArchiveFiles(isRenamed ? { ...exported, origin: undefined } : exported, {
    reference: reference?.tag === undefined ? undefined : reference,
  });
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
    if (stored !== undefined && (await sharesBlocks(stored.path, path))) await readThrough(content.read(options));
    else await writeFile(path, content.read(options), { flag: 'wx', mode: 0o644 });
  }
}

/** On file systems that can, both files share the blocks. The store's own files are nobody else's to read. */
async function sharesBlocks(source: string, path: string): Promise<boolean> {
  try {
    await copyFile(source, path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
  } catch {
    // Where it fails for another reason than that it cannot be had, writing fails, too, and says why.
    return false;
  }
  await chmod(path, 0o644);
  return true;
}

/** Reading it is what verifies a layer. */
async function readThrough(chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of chunks);
}
