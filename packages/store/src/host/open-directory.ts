// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, type OpenDirOptions, opendirSync, openSync, readdirSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** A path as bytes: images name files as they like. */
export type BytePath = Buffer;

/** A directory that is open: what is in it is reached through its handle, however long the path to it has become. */
export interface OpenDirectory {
  /** Sorted by bytes. */
  readonly names: readonly Buffer[];
  /** A short path to an entry, good for as long as the directory is open. */
  entry(name: Buffer): BytePath;
  close(): void;
}

/**
 * An image may nest directories so deep that no path from the root of the host leads to the innermost: PATH_MAX is
 * 4096 bytes, and the path within the image alone may have that many. Follows no symbolic link in the last component.
 *
 * @param onName is told each name as it is read, in no order; what it throws ends that, before there is memory for more
 */
export function openDirectory(path: BytePath, onName?: (name: Buffer) => void): OpenDirectory {
  const handle = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  const prefix = Buffer.from(`/proc/self/fd/${handle}/`);
  try {
    return {
      names: namesIn(prefix, onName).sort(Buffer.compare),
      entry: (name) => Buffer.concat([prefix, name]),
      close: () => closeSync(handle),
    };
  } catch (error) {
    closeSync(handle);
    throw error;
  }
}

/** The types know of no names as bytes here. */
const IN_BATCHES = { encoding: 'buffer', bufferSize: 512 } as unknown as OpenDirOptions;

function namesIn(path: BytePath, onName: ((name: Buffer) => void) | undefined): Buffer[] {
  // All at once is three times as fast for the few names that most directories have.
  if (onName === undefined) return readdirSync(path, { encoding: 'buffer' });
  const names: Buffer[] = [];
  using directory = opendirSync(path, IN_BATCHES);
  for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
    const name = Buffer.from(entry.name);
    onName(name);
    names.push(name);
  }
  return names;
}

const SLICE_MS = 8;

/** Lets the event loop turn every few milliseconds of synchronous work, which is far faster than a promise per call. */
export function inSlices(): () => Promise<void> | undefined {
  let end = performance.now() + SLICE_MS;
  return () => {
    if (performance.now() < end) return undefined;
    return nextTurn().then(() => {
      end = performance.now() + SLICE_MS;
    });
  };
}
