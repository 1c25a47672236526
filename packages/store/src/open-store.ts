// SPDX-License-Identifier: Apache-2.0

import { resolve } from 'node:path';
import type { ImageId } from '@rkt/appc';
import { ensureFormat } from './cas/format.ts';
import { releaseAllHolds } from './cas/holds.ts';
import { layoutOf } from './cas/layout.ts';
import { modesOf, requireClosed, requireOwn } from './cas/modes.ts';
import { prepareLayer } from './cas/prepare-layer.ts';
import { withReserve } from './cas/reserve.ts';
import { sweepTemporaries } from './cas/temporary.ts';
import { temporaryFile } from './cas/temporary-file.ts';
import { type FileContext, requireWritable, type StepHook, type StoreContext } from './context.ts';
import { collected, gc } from './gc/gc.ts';
import { removeImage } from './gc/remove-image.ts';
import { settleRemovals } from './gc/remove-orphan.ts';
import { currentOwner } from './host/owner.ts';
import { randomUuid } from './host/random-uuid.ts';
import { ingestAci } from './images/ingest-aci.ts';
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
import { renderTree } from './render/render-tree.ts';
import type { Lease, RemoteRecord, Store } from './store.ts';
import { translated, translatedEach } from './translated.ts';
import { type StartWorker, startPackagedWorker } from './verify/start-worker.ts';

export interface OpenStoreOptions {
  /** Nothing is changed; methods that would throw PERMISSION, and leases protect nothing. @default false */
  readonly readOnly?: boolean;
  /** Make the store if the directory has none. @default true, unless read-only */
  readonly create?: boolean;
  /** @default the system's clock */
  readonly now?: () => Date;
  /** Told when the database had to be made again. */
  readonly onEvent?: (event: StoreEvent) => void;
  /** Starts a thread that hashes, for programs that are bundled into one file. @default the file of this package */
  readonly startWorker?: StartWorker;
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
 * @throws NOT_A_STORE, NEWER_FORMAT, CORRUPT, BUSY, DISK_FULL, PERMISSION, UNSAFE_MODE
 */
export async function openStore(dir: string, options: OpenStoreOptions = {}): Promise<Store> {
  const readOnly = options.readOnly ?? false;
  const clock = options.now;
  const layout = layoutOf(resolve(dir));
  const now = clock === undefined ? Date.now : () => clock().getTime();
  return await translated(layout.dir, async () => {
    if (!readOnly) requireOwn(layout);
    const files: FileContext = {
      layout,
      owner: currentOwner(),
      modes: modesOf(layout),
      step: options.onStep ?? (() => undefined),
    };
    await ensureFormat(files, (options.create ?? true) && !readOnly);
    if (!readOnly) {
      // What was not there before may have been made by somebody else meanwhile.
      requireOwn(layout);
      requireClosed(layout);
      await sweepTemporaries(files);
    }
    const database = readOnly
      ? await openDatabase(layout.database, { readOnly, mode: files.modes.file, step: files.step })
      : await withReserve(files, () => openOrRebuild(files, { ...options, now }));
    const { startWorker = startPackagedWorker } = options;
    const context = { ...files, database, readOnly, now, startWorker, holds: new Map(), holder: randomUuid() };
    if (!readOnly) await settleRemovals(context);
    return storeOn(context);
  });
}

/** What nobody needs who runs an image is loaded when it is used. */
function storeOn(context: StoreContext): Store {
  const { database } = context;
  const leases = new WeakMap<Lease, HeldLease>();
  let isOpen = true;
  const requireLease = (lease: Lease, id: ImageId): void => {
    if (leases.get(lease)?.retains(id) !== true) throw new TypeError(`the lease does not retain ${id}`);
  };
  const { dir } = context.layout;
  const call = <T>(work: () => T | Promise<T>): Promise<T> => translated(dir, work);
  return {
    dir,
    prepareLayer: (diffId, options) => call(() => prepareLayer(context, diffId, options)),
    putImage: (options) => call(() => putImage(context, options)),
    temporaryFile: () => call(() => temporaryFile(context, 'file')),
    ingestAci: () => call(() => ingestAci(context)),
    getImage: (id) => call(() => getImage(context, id)),
    getConfig: (id) => call(() => getConfig(context, id)),
    listLayers: (id) => call(() => listLayers(context, id)),
    resolveImage: (query) => call(() => resolveImage(context, query)),
    listImages: () => call(() => database.read(allImages)),
    removeImage: (id, options = {}) =>
      call(() => collected(options, (onRemoved) => removeImage(context, id, { onRemoved }))),
    touchImage: (id) => call(() => touchImage(context, id)),
    getRemote: (name) => call(() => database.read((sql) => findRemote(sql, name))),
    putRemote: (remote) => call(() => putRemote(context, remote)),
    lease: async () => {
      const lease = openLease(context);
      leases.set(lease, lease);
      return lease;
    },
    loadTree: (id) =>
      call(async () => {
        const { loadTree } = await import('./render/load-tree.ts');
        return await loadTree(context, id);
      }),
    renderTree: (id, options) =>
      call(() => {
        requireLease(options.lease, id);
        return renderTree(context, id, options);
      }),
    exportImage: (id, options) =>
      translatedEach(dir, async () => {
        const { exportImage } = await import('./render/export-image.ts');
        return exportImage(context, id, options);
      }),
    exportChanged: (id, options) =>
      translatedEach(dir, async () => {
        const { exportChanged } = await import('./render/export-changed.ts');
        return exportChanged(context, id, options);
      }),
    readLayer: (diffId, options) =>
      translatedEach(dir, async () => {
        const { readLayer } = await import('./cas/read-layer.ts');
        return readLayer(context, diffId, options);
      }),
    extractImage: (id, options) =>
      call(async () => {
        const { extractImage } = await import('./render/extract-image.ts');
        return await extractImage(context, id, options);
      }),
    verify: (options) =>
      translatedEach(dir, async () => {
        const { verify } = await import('./verify/verify.ts');
        return verify(context, options);
      }),
    gc: (options) => call(() => gc(context, options)),
    [Symbol.asyncDispose]: async () => {
      if (isOpen) close(context);
      isOpen = false;
    },
  };
}

function touchImage(context: StoreContext, id: ImageId): void {
  requireWritable(context, 'record the use of an image');
  const isKnown = context.database.transaction((sql) => touch(sql, id, context.now()), { durable: false });
  if (!isKnown) throw imageNotFound(id);
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
