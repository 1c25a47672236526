// SPDX-License-Identifier: Apache-2.0
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { FileContext } from '../context.ts';
import { isDiskFull } from '../errors.ts';
import { writeAtomically } from './atomic-write.ts';
import type { Layout } from './layout.ts';

/**
 * Even to delete a row SQLite needs space, for its log. On a full disk nothing could then be removed; so the store
 * keeps a little space occupied, which opening and removing may spend.
 */
const RESERVE_BYTES = 256 * 1024;

/** Occupies the reserve unless it is there; without space for it the store works all the same. */
export async function keepReserve(context: FileContext): Promise<void> {
  const path = reserveFile(context.layout);
  if (existsSync(path)) return;
  try {
    await writeAtomically(context, path, [Buffer.alloc(RESERVE_BYTES)]);
  } catch (error) {
    if (!isDiskFull(error)) throw error;
  }
}

/** Does what frees space, or must be done before; on a full disk once more, with the reserve spent. */
export async function withReserve<T>(context: FileContext, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const path = reserveFile(context.layout);
    if (!isDiskFull(error) || !existsSync(path)) throw error;
    context.step(`remove ${path}`);
    rmSync(path, { force: true });
    return await work();
  }
}

function reserveFile(layout: Layout): string {
  return join(layout.cas, 'reserve');
}
