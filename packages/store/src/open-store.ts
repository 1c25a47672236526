// SPDX-License-Identifier: Apache-2.0

import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import type { ImageId } from '@rkt/appc';
import { ensureFormat } from './cas/format.ts';
import { releaseAllHolds } from './cas/holds.ts';
import { layoutOf } from './cas/layout.ts';
import { prepareLayer } from './cas/prepare-layer.ts';
import { withReserve } from './cas/reserve.ts';
import { sweepTemporaries } from './cas/temporary.ts';
import { type FileContext, requireWritable, type StepHook, type StoreContext } from './context.ts';
import { toStoreError } from './errors.ts';
import { gc } from './gc/gc.ts';
import { removeImage } from './gc/remove-image.ts';
import { currentOwner } from './host/owner.ts';
import { listLayers } from './images/list-layers.ts';
import { imageNotFound } from './images/not-found.ts';
import { putImage } from './images/put-image.ts';
import { resolveImage } from './images/resolve-image.ts';
import { getConfig, getImage } from './images/stored-manifest.ts';
import { type HeldLease, openLease } from './leases/leases.ts';
import { openDatabase } from './records/database.ts';
import { allImages, findImage, touch } from './records/images.ts';
import { openOrRebuild, type StoreEvent } from './records/rebuild.ts';
import { findRemote, upsertRemote } from './records/remotes.ts';
import { exportImage } from './render/export-image.ts';
import { extractImage } from './render/extract-image.ts';
import { loadTree } from './render/load-tree.ts';
import { renderTree } from './render/render-tree.ts';
import type { Lease, RemoteRecord, Store } from './store.ts';
import { verify } from './verify/verify.ts';

export interface OpenStoreOptions {
  /** Nothing is changed; methods that would throw PERMISSION, and leases protect nothing. @default false */
  readonly readOnly?: boolean;
  /** Make the store if the directory has none. @default true, unless read-only */
  readonly create?: boolean;
  /** @default the system's clock */
  readonly now?: () => Date;
  /** Told when the database had to be made again. */
  readonly onEvent?: (event: StoreEvent) => void;
  /** For fault injection in tests: called before every change of the disk; may throw. */
  readonly onStep?: StepHook;
}

/**
 * Opens the store in a directory, which any number of processes may have open at the same time. Leftovers of processes
 * that crashed are removed on the way.
 *
 * @example
 * await using store = await openStore('/var/lib/rkt');
 * for (const image of await store.listImages()) console.log(image.id, image.name);
 *
 * @throws NOT_A_STORE, NEWER_FORMAT, CORRUPT, BUSY, DISK_FULL, PERMISSION
 */
export async function openStore(dir: string, options: OpenStoreOptions = {}): Promise<Store> {
  const readOnly = options.readOnly ?? false;
  const clock = options.now;
  const files: FileContext = {
    layout: layoutOf(resolve(dir)),
    owner: currentOwner(),
    step: options.onStep ?? (() => undefined),
  };
  const now = clock === undefined ? Date.now : () => clock().getTime();
  await ensureFormat(files, (options.create ?? true) && !readOnly);
  if (!readOnly) await sweep(files);
  const database = readOnly
    ? await openDatabase(files.layout.database, { readOnly, step: files.step })
    : await withReserve(files, () => openOrRebuild(files, { ...options, now }));
  return storeOn({ ...files, database, readOnly, now, holds: new Map(), holder: randomUUID() });
}

async function sweep(files: FileContext): Promise<void> {
  try {
    await sweepTemporaries(files);
  } catch (error) {
    throw toStoreError(error, 'cannot remove leftovers', files.layout.temporary);
  }
}

function storeOn(context: StoreContext): Store {
  const { database } = context;
  const leases = new WeakMap<Lease, HeldLease>();
  let isOpen = true;
  const requireLease = (lease: Lease, id: ImageId): void => {
    if (leases.get(lease)?.retains(id) !== true) throw new TypeError(`the lease does not retain ${id}`);
  };
  return {
    dir: context.layout.dir,
    prepareLayer: (diffId, options) => prepareLayer(context, diffId, options),
    putImage: (options) => putImage(context, options),
    getImage: (id) => getImage(context, id),
    getConfig: (id) => getConfig(context, id),
    listLayers: async (id) => listLayers(context, id),
    resolveImage: async (query) => resolveImage(context, query),
    listImages: async () => database.read(allImages),
    removeImage: (id) => removeImage(context, id),
    touchImage: async (id) => touchImage(context, id),
    getRemote: async (name) => database.read((sql) => findRemote(sql, name)),
    putRemote: async (remote) => putRemote(context, remote),
    lease: async (options) => {
      const lease = openLease(context, options);
      leases.set(lease, lease);
      return lease;
    },
    loadTree: (id) => loadTree(context, id),
    renderTree: async (id, options) => {
      requireLease(options.lease, id);
      return await renderTree(context, id, options);
    },
    exportImage: (id, options) => exportImage(context, id, options),
    extractImage: (id, options) => extractImage(context, id, options),
    verify: (options) => verify(context, options),
    gc: (options) => gc(context, options),
    [Symbol.asyncDispose]: async () => {
      if (isOpen) close(context);
      isOpen = false;
    },
  };
}

function touchImage(context: StoreContext, id: ImageId): void {
  requireWritable(context, 'record the use of an image');
  if (!context.database.transaction((sql) => touch(sql, id, context.now()))) throw imageNotFound(id);
}

function putRemote(context: StoreContext, remote: RemoteRecord): void {
  requireWritable(context, 'record a remote');
  context.database.transaction((sql) => {
    if (findImage(sql, remote.imageId) === undefined) throw imageNotFound(remote.imageId);
    upsertRemote(sql, remote);
  });
}

function close(context: StoreContext): void {
  try {
    if (!context.readOnly) releaseAllHolds(context);
  } finally {
    context.database.close();
  }
}
