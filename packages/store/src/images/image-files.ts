// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageId } from '@rkt/appc';
import { writeAllAtomically } from '../cas/atomic-write.ts';
import { imageDirectory, isDiffId, type Layout } from '../cas/layout.ts';
import type { FileContext } from '../context.ts';
import { isNotFound, StoreError, toStoreError } from '../errors.ts';
import type { AciLayer } from '../store.ts';
import { decodeAciLayers, encodeAciLayers } from './aci-layers.ts';

/** What `record.json` keeps of an image, so that the database can be made again without it. */
export interface ImageFile {
  /** Every name the image was put under, the latest last. */
  readonly names: readonly string[];
  /** DiffIDs, base first. */
  readonly layers: readonly string[];
  /** Which layers are ACIs. */
  readonly acis: readonly AciLayer[];
  /** Bytes of the uncompressed ACI. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly importedAt: number;
  /** Digest of the file `config`; absent where there is none. */
  readonly config?: string;
}

/** The files of an image but its record. */
export interface ImageDocuments {
  readonly manifestBytes: Uint8Array;
  readonly configBytes?: Uint8Array | undefined;
}

/** Writes the files of an image, the record last: where there is a record there is what it speaks of. */
export async function writeImageFiles(
  context: FileContext,
  id: ImageId,
  files: ImageDocuments & { readonly record: ImageFile },
): Promise<void> {
  const directory = imageDirectory(context.layout, id);
  const file = (name: string, bytes: Uint8Array) => ({ target: join(directory, name), chunks: [bytes] });
  await writeAllAtomically(context, [
    file('manifest', files.manifestBytes),
    ...(files.configBytes === undefined ? [] : [file('config', files.configBytes)]),
    file('record.json', encodeRecord(files.record)),
  ]);
}

/** Images of OCI layers have no `acis`. */
function encodeRecord({ acis, ...record }: ImageFile): Uint8Array {
  const encoded = acis.length === 0 ? {} : { acis: encodeAciLayers(acis) };
  return Buffer.from(`${JSON.stringify({ ...record, ...encoded })}\n`);
}

/** The canonical manifest bytes. @throws CORRUPT when they are gone */
export async function readManifest(layout: Layout, id: ImageId): Promise<Uint8Array> {
  const path = join(imageDirectory(layout, id), 'manifest');
  try {
    return await readFile(path);
  } catch (error) {
    if (!isNotFound(error)) throw toStoreError(error, 'cannot read an image manifest', path);
    throw new StoreError('ERR_RKT_STORE_CORRUPT', `the manifest of ${id} is missing`, {
      path,
      subject: id,
      cause: error,
    });
  }
}

/** The configuration a record speaks of. @throws CORRUPT when it is gone or another */
export async function readConfig(layout: Layout, id: ImageId, digest: string): Promise<Uint8Array> {
  const path = join(imageDirectory(layout, id), 'config');
  try {
    const bytes = await readFile(path);
    if (configDigest(bytes) === digest) return bytes;
  } catch (error) {
    if (!isNotFound(error)) throw toStoreError(error, 'cannot read an image configuration', path);
  }
  throw new StoreError('ERR_RKT_STORE_CORRUPT', `the configuration of ${id} is missing or damaged`, {
    path,
    subject: id,
  });
}

export function configDigest(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** @returns undefined when there is none. @throws CORRUPT when it is not what the store writes */
export async function readImageFile(layout: Layout, id: ImageId): Promise<ImageFile | undefined> {
  const path = join(imageDirectory(layout, id), 'record.json');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw toStoreError(error, 'cannot read an image record', path);
  }
  const record = parseImageFile(text);
  if (record !== undefined) return record;
  throw new StoreError('ERR_RKT_STORE_CORRUPT', `the record of ${id} is damaged`, { path, subject: id });
}

function parseImageFile(text: string): ImageFile | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const {
    names,
    layers,
    acis: encoded = [],
    size,
    importedAt,
    config,
    ...unknown
  }: Record<string, unknown> = {
    ...value,
  };
  // Of a field that is there under another name nobody would know that it is missing.
  if (Object.keys(unknown).length > 0) return undefined;
  if (!isTexts(names) || names.length === 0 || !isTexts(layers) || !layers.every(isDiffId)) return undefined;
  const acis = decodeAciLayers(encoded, layers.length);
  if (acis === undefined || !isCount(size) || !isCount(importedAt)) return undefined;
  const record = { names, layers, acis, size, importedAt };
  if (config === undefined) return record;
  // Digests of configurations have the form of diffIDs.
  return typeof config === 'string' && isDiffId(config) ? { ...record, config } : undefined;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
