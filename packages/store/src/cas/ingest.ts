// SPDX-License-Identifier: Apache-2.0
import { open, rm } from 'node:fs/promises';
import type { LayerIngest, PresentLayer } from '@rkt/appc';
import type { StoreContext } from '../context.ts';
import { StoreError, toStoreError } from '../errors.ts';
import type { Sql } from '../records/database.ts';
import { insertLayer } from '../records/layers.ts';
import { moveIntoPlace, withTemporaries } from './atomic-write.ts';
import { countHold, insertHold } from './holds.ts';
import { layerIndex, layerTar } from './layout.ts';
import type { FileLock } from './locks.ts';
import { temporaryPath } from './temporary.ts';
import { createEmpty } from './temporary-file.ts';
import { tidyUp } from './tidy-up.ts';

interface IngestResult {
  readonly size: number;
  readonly index: Uint8Array;
}

/** Makes the empty file a layer is written into. The lock is released when the ingest ends. */
export async function beginIngest(context: StoreContext, diffId: string, lock: FileLock): Promise<LayerIngest> {
  const path = temporaryPath(context, 'layer');
  let ended = false;
  const end = (): void => {
    if (ended) throw new TypeError(`the ingest of ${diffId} has already ended`);
    ended = true;
  };
  const discard = async (): Promise<void> => {
    try {
      await rm(path, { force: true });
    } catch (error) {
      throw toStoreError(error, 'cannot discard a layer', path);
    } finally {
      lock.release();
    }
  };
  await createEmpty(context, path);
  return {
    state: 'ingest',
    path,
    commit: async (result) => {
      end();
      try {
        const layer = await commitLayer(context, { diffId, source: path, ...result });
        lock.release();
        return layer;
      } catch (error) {
        await tidyUp(discard);
        throw error;
      }
    },
    abort: async () => {
      end();
      await discard();
    },
    [Symbol.asyncDispose]: async () => {
      if (ended) return;
      ended = true;
      await discard();
    },
  };
}

interface CommittableLayer extends IngestResult {
  readonly diffId: string;
  readonly source: string;
}

/**
 * Index before tar, tar before row: whatever is seen first implies that the rest is there. A failure takes the files
 * away again, so that a full disk leaves the store as it was.
 */
async function commitLayer(context: StoreContext, layer: CommittableLayer): Promise<PresentLayer> {
  const { layout, database, now } = context;
  const { diffId, size, index } = layer;
  const tar = layerTar(layout, diffId);
  const idx = layerIndex(layout, diffId);
  try {
    await withTemporaries(
      context,
      [[index]],
      ([temporary = '']) =>
        moveIntoPlace(context, [
          { source: temporary, target: idx },
          { source: layer.source, target: tar },
        ]),
      { meanwhile: () => syncContent(context, layer) },
    );
    const record = (sql: Sql): void => {
      insertLayer(sql, { diffId, size, at: now() });
      insertHold(context, sql, diffId);
    };
    // The image that is made of it makes this durable; until then a power cut leaves files that are adopted again.
    database.transaction(record, { durable: false });
  } catch (error) {
    await tidyUp(() => withdraw(context, diffId));
    throw toStoreError(error, 'cannot commit a layer', tar);
  }
  countHold(context, diffId);
  return { state: 'present', path: tar, index };
}

async function syncContent(context: StoreContext, layer: CommittableLayer): Promise<void> {
  const handle = await open(layer.source, 'r+');
  try {
    const { size } = await handle.stat();
    if (size !== layer.size) {
      throw new StoreError(
        'ERR_RKT_STORE_CORRUPT',
        `layer ${layer.diffId}: expected ${layer.size} bytes, got ${size}`,
        {
          path: layer.source,
          subject: layer.diffId,
        },
      );
    }
    await handle.chmod(context.modes.file);
    context.step(`fsync ${layer.source}`);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/** We have the layer's lock, so its files are ours; but a damaged layer that was to be replaced is still referred to. */
async function withdraw(context: StoreContext, diffId: string): Promise<void> {
  const { layout, database } = context;
  const recorded = database.read((sql) => sql.get('SELECT 1 FROM layers WHERE diff_id = ?', diffId)) !== undefined;
  if (recorded) return;
  await rm(layerTar(layout, diffId), { force: true });
  await rm(layerIndex(layout, diffId), { force: true });
}
