// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from 'node:util';
import type { ImageId } from '@rkt/appc';
import { noteDamage } from '../cas/damaged-layer.ts';
import { layerTar } from '../cas/layout.ts';
import type { StoreContext } from '../context.ts';
import { isStoreError, StoreError } from '../errors.ts';
import { type ImageFile, readConfig, readImageFile } from '../images/image-files.ts';
import { imageNotFound } from '../images/not-found.ts';
import { openLease } from '../leases/leases.ts';
import { leaveSuspicion } from '../records/database.ts';
import { allImages, findImage } from '../records/images.ts';
import type { AbortOptions, Finding, ImageRecord, Lease } from '../store.ts';
import { isDamage } from './derive-id.ts';
import type { LayerState } from './hash-layer.ts';
import { createHashing, type Hashing } from './hashing.ts';
import { inOrder } from './in-order.ts';
import { repairIndex } from './repair-index.ts';
import { repairSize } from './repair-size.ts';
import { repairTrees } from './repair-trees.ts';
import { layerBytes } from './sound-layers.ts';

export interface VerifyOptions extends AbortOptions {
  readonly ids?: readonly ImageId[];
}

/**
 * See {@link Store.verify}. Every layer is hashed once, however many images share it, while the IDs are being derived. A
 * layer found wrong is marked: the next fetch that wants it writes it anew. A damaged database is made again when the store
 * is opened next.
 *
 * @throws IMAGE_NOT_FOUND for an ID asked for, CORRUPT for the database
 */
export async function* verify(context: StoreContext, options: VerifyOptions = {}): AsyncIterable<Finding> {
  requireSoundDatabase(context);
  const images = imagesToVerify(context, options.ids);
  const bytes = bytesToHash(context, images);
  options.signal?.throwIfAborted();
  await using hashing = createHashing({ startWorker: context.startWorker, bytes, signal: options.signal });
  const check: Check = { ...options, hashing, layers: new Map() };
  // As many as there are threads at a time: each keeps its image from being removed.
  for await (const checked of inOrder(images, hashing.width, ({ id }) => checkImage(context, id, check))) {
    await using _lease = checked.lease;
    if (checked.record !== undefined) yield* findingsOf(context, checked.record, { ...options, ...checked });
  }
}

/** Every layer once, and of each image as much as its ID is made of. */
function bytesToHash(context: StoreContext, images: readonly ImageRecord[]): number {
  const layers = new Set(images.flatMap((image) => image.layers));
  return images.reduce((bytes, { size }) => bytes + size, layerBytes(context, layers));
}

/** What hashing has shown of an image. */
interface CheckedImage extends AsyncDisposable {
  readonly lease: Lease;
  /** Undefined for an image somebody has removed since it was listed. */
  readonly record: ImageRecord | undefined;
  readonly damage: readonly Finding[];
  /** Its ID, as it follows from what is stored, or why there is none. */
  readonly actual: string;
}

interface Check extends AbortOptions {
  readonly hashing: Hashing;
  /** What is known of layers, or will be, whichever image asked first. */
  readonly layers: Map<string, Promise<CheckedLayer>>;
}

/** The index of every layer of the store at once would be too much to keep: it is compared, and gone. */
interface CheckedLayer {
  readonly state: LayerState;
  readonly repaired: boolean;
}

async function checkImage(context: StoreContext, id: ImageId, check: Check): Promise<CheckedImage> {
  const lease = openLease(context);
  const checked = { lease, damage: [], actual: '', [Symbol.asyncDispose]: () => lease[Symbol.asyncDispose]() };
  try {
    if (!(await retained(lease.retain(id)))) return { ...checked, record: undefined };
    // Read again: since it was listed it may have been removed and put anew.
    const record = context.database.read((sql) => findImage(sql, id));
    if (record === undefined) return { ...checked, record };
    return { ...checked, record, ...(await hashImage(context, record, check)) };
  } catch (error) {
    await lease[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * With several threads the ID is derived while the layers are hashed, from indexes that nobody has looked at yet: again if
 * one had to be made anew.
 */
async function hashImage(
  context: StoreContext,
  record: ImageRecord,
  check: Check,
): Promise<Pick<CheckedImage, 'damage' | 'actual'>> {
  const { hashing } = check;
  const { id, layers, acis, size } = record;
  const derived = (): Promise<string> =>
    hashing.run({ kind: 'image', dir: context.layout.dir, parts: { id, layers, acis, size } });
  const early = hashing.width > 1 ? derived() : undefined;
  early?.catch(() => undefined);
  const checked = await checkLayers(context, record, check);
  const damage = checked.flatMap(([diffId, { state }]) => damageOf(id, diffId, state));
  if (damage.length > 0) return { damage, actual: '' };
  const fault = await damagedRecord(context, record);
  if (fault !== undefined) return { damage, actual: fault };
  const repaired = checked.some(([, layer]) => layer.repaired);
  return { damage, actual: await (repaired ? derived() : (early ?? derived())) };
}

async function* findingsOf(
  context: StoreContext,
  { id }: ImageRecord,
  { damage, actual, ...options }: AbortOptions & Pick<CheckedImage, 'damage' | 'actual'>,
): AsyncIterable<Finding> {
  yield* damage;
  if (damage.length > 0) return;
  if (actual !== id) {
    yield { kind: 'image-corrupt', id, actual };
    return;
  }
  if (await repairTrees(context, id, options)) yield { kind: 'tree-rebuilt', id };
  yield { kind: 'image-ok', id };
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

async function checkLayers(
  context: StoreContext,
  { layers }: ImageRecord,
  check: Check,
): Promise<readonly (readonly [diffId: string, layer: CheckedLayer])[]> {
  const checked: (readonly [string, CheckedLayer])[] = [];
  const begun = check.hashing.width > 1 ? layers.map((diffId) => checkLayer(context, diffId, check)) : [];
  for (const layer of begun) layer.catch(() => undefined);
  for (const diffId of new Set(layers)) checked.push([diffId, await checkLayer(context, diffId, check)]);
  return checked;
}

function checkLayer(context: StoreContext, diffId: string, check: Check): Promise<CheckedLayer> {
  const known = check.layers.get(diffId) ?? hashAndRepair(context, diffId, check);
  check.layers.set(diffId, known);
  return known;
}

async function hashAndRepair(
  context: StoreContext,
  diffId: string,
  { hashing, ...options }: Check,
): Promise<CheckedLayer> {
  const state = await hashing.run({ kind: 'layer', diffId, path: layerTar(context.layout, diffId) });
  noteDamage(context, diffId, state.kind !== 'ok');
  if (state.kind !== 'ok') return { state, repaired: false };
  const { size, index } = state;
  repairSize(context, { diffId, size });
  const repaired = index !== undefined && (await repairIndex(context, { diffId, index }, options));
  return { state: { ...state, index: undefined }, repaired };
}

function damageOf(id: ImageId, diffId: string, state: LayerState): readonly Finding[] {
  if (state.kind === 'ok') return [];
  if (state.kind === 'missing') return [{ kind: 'layer-missing', id, diffId }];
  const actual = state.actual === undefined ? {} : { actual: state.actual };
  return [{ kind: 'layer-corrupt', id, diffId, ...actual }];
}

/** What is wrong with the record or the configuration of an image, if anything is. */
async function damagedRecord(context: StoreContext, record: ImageRecord): Promise<string | undefined> {
  const { layout } = context;
  try {
    const file = await readImageFile(layout, record.id);
    if (file === undefined) return `the record of ${record.id} is missing`;
    if (file.config !== undefined) await readConfig(layout, record.id, file.config);
    return isRecordOf(file, record) ? undefined : 'its record and the database differ';
  } catch (error) {
    if (isDamage(error)) return error.message;
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
