// SPDX-License-Identifier: Apache-2.0
import { closeSync, fchmodSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';

export interface WriteOptions {
  /**
   * Whether the content must survive a power cut; the name does once its directory is synced, see {@link syncDirectory}.
   * What is only true while the kernel that runs it lives need not.
   * @default false
   */
  readonly durable?: boolean;
  /** Whatever the umask. @default 0o600 */
  readonly mode?: number;
}

let writes = 0;

/** Readers see the old file or the whole new one. */
export function writeFileAtomically(path: string, content: string, options: WriteOptions = {}): void {
  writes += 1;
  const temporary = `${path}.${process.pid}-${writes}.tmp`;
  const fd = openSync(temporary, 'wx', options.mode ?? 0o600);
  try {
    try {
      if (options.mode !== undefined) fchmodSync(fd, options.mode);
      const bytes = Buffer.from(content);
      for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
      if (options.durable) fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Only then do the names in a directory survive a power cut. */
export function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Undefined when there is none. */
export function readTextFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}
