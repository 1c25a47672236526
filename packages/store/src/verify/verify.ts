// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { ImageId } from '@rkt/appc';
import type { StoreContext } from '../context.ts';
import { isStoreError, StoreError } from '../errors.ts';
import { ownAci } from '../images/aci-layers.ts';
import { type ImageFile, readConfig, readImageFile, readManifest } from '../images/image-files.ts';
import { imageNotFound } from '../images/not-found.ts';
import { openLease } from '../leases/leases.ts';
import { leaveSuspicion } from '../records/database.ts';
import { allImages, findImage } from '../records/images.ts';
import { findLayer, markDamaged } from '../records/layers.ts';
import { aciManifest } from '../render/aci-manifest.ts';
import { storedAci } from '../render/export-image.ts';
import { loadIndex } from '../render/load-tree.ts';
import type { AbortOptions, Finding, ImageRecord } from '../store.ts';
import { hashLayer, type LayerState } from './hash-layer.ts';
import { repairIndex } from './repair-index.ts';
import { repairTrees } from './repair-trees.ts';

export interface VerifyOptions extends AbortOptions {
  readonly ids?: readonly ImageId[];
}

/**
 * See {@link Store.verify}. Every layer is hashed once, however many images share it. A layer found wrong is marked:
 * the next fetch that wants it writes it anew. A damaged database is made again when the store is opened next.
 *
 * @throws IMAGE_NOT_FOUND for an ID asked for, CORRUPT for the database
 */
export async function* verify(context: StoreContext, options: VerifyOptions = {}): AsyncIterable<Finding> {
  requireSoundDatabase(context);
  const layers = new Map<string, LayerState>();
  for (const { id } of imagesToVerify(context, options.ids)) {
    options.signal?.throwIfAborted();
    await using lease = openLease(context);
    if (!(await retained(lease.retain(id)))) continue;
    // Read again: since it was listed it may have been removed and put anew.
    const record = context.database.read((sql) => findImage(sql, id));
    if (record === undefined) continue;
    const findings = await layerFindings(context, record, { ...options, layers });
    yield* findings;
    if (findings.length > 0) continue;
    const actual = (await damagedRecord(context, record)) ?? (await deriveId(context, record.id, options));
    if (actual !== record.id) {
      yield { kind: 'image-corrupt', id: record.id, actual };
      continue;
    }
    if (await repairTrees(context, record.id, options)) yield { kind: 'tree-rebuilt', id: record.id };
    yield { kind: 'image-ok', id: record.id };
  }
}

function requireSoundDatabase({ database, layout, readOnly }: StoreContext): void {
  if (database.isSound()) return;
  if (!readOnly) leaveSuspicion(layout.database);
  throw new StoreError('ERR_RKT_STORE_CORRUPT', 'the database is damaged; it is made again when the store is opened', {
    path: layout.database,
  });
}

function imagesToVerify(context: StoreContext, ids: readonly ImageId[] | undefined): readonly ImageRecord[] {
  return context.database.read((sql) => {
    if (ids === undefined) return allImages(sql);
    return ids.map((id) => {
      const record = findImage(sql, id);
      if (record === undefined) throw imageNotFound(id);
      return record;
    });
  });
}

/** An image removed by somebody else since it was listed is no finding. */
async function retained(attempt: Promise<void>): Promise<boolean> {
  try {
    await attempt;
    return true;
  } catch (error) {
    if (isStoreError(error) && error.code === 'ERR_RKT_STORE_IMAGE_NOT_FOUND') return false;
    throw error;
  }
}

interface LayerCheck extends AbortOptions {
  /** What earlier images have shown. */
  readonly layers: Map<string, LayerState>;
}

async function layerFindings(
  context: StoreContext,
  { id, layers }: ImageRecord,
  check: LayerCheck,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const diffId of new Set(layers)) {
    const state = check.layers.get(diffId) ?? (await verifyLayer(context, diffId, check));
    check.layers.set(diffId, state);
    if (state.kind === 'missing') findings.push({ kind: 'layer-missing', id, diffId });
    if (state.kind === 'corrupt') {
      const actual = state.actual === undefined ? {} : { actual: state.actual };
      findings.push({ kind: 'layer-corrupt', id, diffId, ...actual });
    }
  }
  return findings;
}

async function verifyLayer(context: StoreContext, diffId: string, check: LayerCheck): Promise<LayerState> {
  const state = await hashLayer(context, diffId, check.signal);
  noteDamage(context, diffId, state.kind !== 'ok');
  if (state.kind === 'ok' && state.index !== undefined) {
    await repairIndex(context, { diffId, index: state.index }, check);
  }
  // The index of every layer of the store at once would be too much to keep.
  return state.kind === 'ok' ? { kind: 'ok', index: undefined } : state;
}

function noteDamage(context: StoreContext, diffId: string, damaged: boolean): void {
  const { database, readOnly } = context;
  if (readOnly || database.read((sql) => findLayer(sql, diffId))?.damaged === damaged) return;
  database.transaction((sql) => markDamaged(sql, diffId, damaged));
}

/** The manifest of an image that came as an ACI is kept beside the archive, too, so that it need not be sought in there. */
async function hasOwnManifest(context: StoreContext, id: ImageId): Promise<boolean> {
  const record = context.database.read((sql) => findImage(sql, id));
  const diffId = record?.layers[ownAci(record) ?? -1];
  if (diffId === undefined) return true;
  const manifest = await aciManifest(context, { diffId, index: await loadIndex(context, diffId) });
  return Buffer.compare(manifest, await readManifest(context.layout, id)) === 0;
}

/** An index may be missing where it cannot be made again: in a store that is open read-only. */
const DAMAGE: ReadonlySet<string> = new Set(['ERR_RKT_STORE_CORRUPT', 'ERR_RKT_STORE_LAYER_MISSING']);

/** What is wrong with the record or the configuration of an image, if anything is. */
async function damagedRecord(context: StoreContext, record: ImageRecord): Promise<string | undefined> {
  const { layout } = context;
  try {
    const file = await readImageFile(layout, record.id);
    if (file === undefined) return `the record of ${record.id} is missing`;
    if (file.config !== undefined) await readConfig(layout, record.id, file.config);
    return isRecordOf(file, record) ? undefined : 'its record and the database differ';
  } catch (error) {
    if (isStoreError(error) && DAMAGE.has(error.code)) return error.message;
    throw error;
  }
}

/** The file comes first, so that it may have a name more; everything else never changes. */
function isRecordOf(file: ImageFile, { names, layers, acis, size, importedAt }: ImageRecord): boolean {
  return (
    file.size === size &&
    file.importedAt === importedAt &&
    isDeepStrictEqual(file.layers, layers) &&
    isDeepStrictEqual(file.acis, acis) &&
    names.every((name) => file.names.includes(name))
  );
}

/** The ID the stored parts give, or why they give none. */
async function deriveId(context: StoreContext, id: ImageId, options: AbortOptions): Promise<string> {
  const hash = createHash('sha512');
  try {
    if (!(await hasOwnManifest(context, id))) return 'its manifest is another one than that of its archive';
    for await (const chunk of storedAci(context, id, options)) hash.update(chunk);
  } catch (error) {
    if (isStoreError(error) && DAMAGE.has(error.code)) return error.message;
    throw error;
  }
  return `sha512-${hash.digest('hex')}`;
}
