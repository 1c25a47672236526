// SPDX-License-Identifier: Apache-2.0
//
// Stands in for the `koffi` package inside the executable: the addon comes from an asset.

import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { getRawAsset } from 'node:sea';

/** Linux's O_TMPFILE: a file without a name, which is gone when nothing refers to it any more. */
const unnamed = 0o20000000 | constants.O_DIRECTORY;

/** Where an unnamed executable file may be had; any of them can be mounted `noexec` or be read-only. */
const directories = ['/dev/shm', '/run', '/tmp', '/var/tmp', '/var/lib'];

function loadAddon(asset: string): unknown {
  const bytes = new Uint8Array(getRawAsset(asset) as ArrayBuffer);
  let failure: unknown;
  for (const directory of directories) {
    try {
      return loadThrough(directory, bytes);
    } catch (error) {
      failure = error;
    }
  }
  throw new Error(`cannot load the native part of rkt through any of ${directories.join(', ')}`, { cause: failure });
}

/** The dynamic loader wants a path: that of our own descriptor, so no name ever exists in the directory. */
function loadThrough(directory: string, bytes: Uint8Array): unknown {
  const fd = openSync(directory, unnamed | constants.O_RDWR, 0o700);
  try {
    for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
    const target: { exports: unknown } = { exports: {} };
    process.dlopen(target, `/proc/self/fd/${fd}`, osConstants.dlopen.RTLD_NOW);
    return target.exports;
  } finally {
    closeSync(fd);
  }
}

const addon: unknown = loadAddon('koffi.node');

// As the package has it: `import koffi from 'koffi'`.
export { addon as default };
