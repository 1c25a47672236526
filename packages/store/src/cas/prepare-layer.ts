// SPDX-License-Identifier: Apache-2.0
import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { LayerIngest, PrepareLayerOptions, PresentLayer } from '@rkt/appc';
import { requireWritable, type StoreContext } from '../context.ts';
import { isNotFound, printable, toStoreError } from '../errors.ts';
import type { Sql } from '../records/database.ts';
import { findLayer, insertLayer } from '../records/layers.ts';
import type { Hashing, HashingOptions } from '../verify/hashing.ts';
import { countHold, insertHold } from './holds.ts';
import { beginIngest } from './ingest.ts';
import { isDiffId, layerIndex, layerLock, layerTar } from './layout.ts';
import { acquireLock } from './locks.ts';

/** See {@link LayerRepository.prepareLayer} of `@rkt/appc`. The layer is held against collection either way. */
export async function prepareLayer(
  context: StoreContext,
  diffId: string,
  options: PrepareLayerOptions = {},
): Promise<PresentLayer | LayerIngest> {
  options.signal?.throwIfAborted();
  requireWritable(context, 'add a layer');
  if (!isDiffId(diffId)) {
    throw new TypeError(`diffID: expected sha256: and 64 hex digits, got ${printable(diffId)}`);
  }
  const present = await findPresent(context, diffId);
  if (present !== undefined) return present;
  const { signal } = options;
  const onWait = once(options.onWait);
  const lock = await acquireLock(layerLock(context.layout, diffId), { ...options, onWait });
  try {
    await adoptOrphan(context, diffId, { signal, onWait });
    const arrived = await findPresent(context, diffId);
    if (arrived === undefined) return await beginIngest(context, diffId, lock);
    lock.release();
    return arrived;
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** It may be the lock that is waited for, then the reading of what is there: that is one wait. */
function once(work: (() => void) | undefined): () => void {
  let isDone = false;
  return () => {
    if (!isDone) work?.();
    isDone = true;
  };
}

/** The layer, if it is recorded, whole, and its files are there. */
async function findPresent(context: StoreContext, diffId: string): Promise<PresentLayer | undefined> {
  const { layout, database } = context;
  if (!isWhole(context, diffId)) return undefined;
  // Between the look and the hold the layer may have been collected: the transaction decides.
  const hold = (sql: Sql): boolean => {
    const row = findLayer(sql, diffId);
    if (row === undefined || row.damaged) return false;
    insertHold(context, sql, diffId);
    return true;
  };
  // A hold ends with the process.
  const held = database.transaction(hold, { durable: false });
  if (!held) return undefined;
  countHold(context, diffId);
  const path = layerTar(layout, diffId);
  try {
    return { state: 'present', path, index: await readFile(layerIndex(layout, diffId)) };
  } catch (error) {
    throw toStoreError(error, 'cannot read a layer index', path);
  }
}

function isWhole(context: StoreContext, diffId: string): boolean {
  const row = context.database.read((sql) => findLayer(sql, diffId));
  if (row === undefined || row.damaged) return false;
  return (
    sizeOf(layerTar(context.layout, diffId)) === row.size && sizeOf(layerIndex(context.layout, diffId)) !== undefined
  );
}

/** Bytes; a tenth of a second, and more where the disk is slow. */
const LONG_READ = 64 * 1024 * 1024;

interface AdoptOptions {
  readonly signal: AbortSignal | undefined;
  /** Called before a layer is read that takes a while. */
  readonly onWait: () => void;
}

/**
 * A crash between rename and transaction, or between transaction and removal, leaves a whole layer that is not recorded. Nobody
 * knows any more whether it was found damaged: it is read once, a large one on a thread of its own, so that other layers
 * arrive meanwhile. To be called with the layer's lock.
 */
async function adoptOrphan(context: StoreContext, diffId: string, { signal, onWait }: AdoptOptions): Promise<void> {
  const { layout, database, now } = context;
  if (database.read((sql) => findLayer(sql, diffId)) !== undefined) return;
  const path = layerTar(layout, diffId);
  const bytes = sizeOf(path);
  const index = bytes === undefined ? undefined : await indexOf(layerIndex(layout, diffId));
  if (bytes === undefined || index === undefined) return;
  if (bytes >= LONG_READ) onWait();
  await using hashing = await beginHashing({ bytes, signal, startWorker: context.startWorker });
  const state = await hashing.run({ kind: 'layer', diffId, path });
  if (state.kind !== 'ok' || state.index === undefined || Buffer.compare(state.index, index) !== 0) return;
  database.transaction((sql) => insertLayer(sql, { diffId, size: state.size, at: now() }));
}

/** By itself: the compiler leaves the name of a module as it is in a function that has `using`. */
async function beginHashing(options: HashingOptions): Promise<Hashing> {
  const { createHashing } = await import('../verify/hashing.ts');
  return createHashing(options);
}

async function indexOf(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw toStoreError(error, 'cannot read a layer index', path);
  }
}

function sizeOf(path: string): number | undefined {
  try {
    return statSync(path).size;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw toStoreError(error, 'cannot examine a layer', path);
  }
}
