// SPDX-License-Identifier: Apache-2.0
import { closeSync, fdatasync, openSync, writeSync } from 'node:fs';
import { toIoError } from '../io-error.ts';

/** The file a layer tar is written to, front to back. */
export interface LayerFile {
  write(bytes: Uint8Array): void;
  close(): Promise<void>;
}

/** How much is written before the disk is told to begin: the sync that makes a layer durable then finds little left to do. */
const WRITEBACK_BYTES = 32 * 1024 * 1024;

/** Opens an existing empty file. @throws ConversionError `DISK_FULL`, `IO` (also from `write` and `close`) */
export function openLayerFile(path: string): LayerFile {
  return new WritebackFile(path);
}

class WritebackFile implements LayerFile {
  readonly #path: string;
  readonly #fd: number;
  #unsynced = 0;
  #syncing: Promise<void> | undefined;

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
    if (this.#unsynced >= WRITEBACK_BYTES && this.#syncing === undefined) this.#beginWriteback();
  }

  async close(): Promise<void> {
    await this.#syncing;
    closeSync(this.#fd);
  }

  #beginWriteback(): void {
    this.#unsynced = 0;
    this.#syncing = new Promise((resolve) => {
      // A failure here is the kernel's to report again: whoever makes the file durable syncs it and looks.
      fdatasync(this.#fd, () => {
        this.#syncing = undefined;
        resolve();
      });
    });
  }
}
