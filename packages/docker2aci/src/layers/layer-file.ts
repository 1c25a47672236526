// SPDX-License-Identifier: Apache-2.0
import { closeSync, fdatasync, openSync, writeSync } from 'node:fs';
import { toIoError } from '../io-error.ts';

/** The file a layer tar is written to, front to back. */
export interface LayerFile {
  write(bytes: Uint8Array): void;
  /** Resolves when nothing is being written back any more. */
  settle(): Promise<void>;
  /** After `settle` at once, otherwise when nothing is being written back any more. */
  close(): void;
}

/** How much is written before the disk is told to begin: the sync that makes a layer durable then finds little left to do. */
const WRITEBACK_BYTES = 32 * 1024 * 1024;

/** Opens an existing empty file. @throws ConversionError `DISK_FULL`, `IO` (also from `write` and `settle`) */
export function openLayerFile(path: string): LayerFile {
  return new WritebackFile(path);
}

class WritebackFile implements LayerFile {
  readonly #path: string;
  readonly #fd: number;
  #unsynced = 0;
  #syncing: Promise<void> = Promise.resolve();
  #isSyncing = false;
  #failure: NodeJS.ErrnoException | undefined;

  constructor(path: string) {
    this.#path = path;
    try {
      this.#fd = openSync(path, 'r+');
    } catch (error) {
      throw toIoError(error, 'cannot open', path);
    }
  }

  write(bytes: Uint8Array): void {
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    } catch (error) {
      throw toIoError(error, 'cannot write', this.#path);
    }
    this.#unsynced += bytes.length;
    if (this.#unsynced >= WRITEBACK_BYTES && !this.#isSyncing) this.#beginWriteback();
  }

  async settle(): Promise<void> {
    await this.#syncing;
    // The kernel tells a failure to write back once: whoever syncs this file later, by its name, does not hear of it.
    if (this.#failure !== undefined) throw toIoError(this.#failure, 'cannot write', this.#path);
  }

  close(): void {
    // Not under a sync: its descriptor could be another file's by then.
    void this.#syncing.then(() => closeSync(this.#fd));
  }

  #beginWriteback(): void {
    this.#unsynced = 0;
    this.#isSyncing = true;
    this.#syncing = new Promise((resolve) => {
      fdatasync(this.#fd, (error) => {
        this.#failure ??= error ?? undefined;
        this.#isSyncing = false;
        resolve();
      });
    });
  }
}
