// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** A directory that stays the same one whatever happens to the path that led to it. */
export interface Place extends AsyncDisposable {
  /** A path to an entry, good until the place is disposed of. */
  at(name: string): string;
  /** Whether it belongs to the caller, and nobody else may enter it. */
  isPrivate(): Promise<boolean>;
}

/** Not among Node's constants; the same on every architecture that Linux and Node share. */
const O_PATH = 0o10000000;

/** Opens a directory; `nofollow` refuses a symbolic link in its place. @throws the system's errors */
export async function openPlace(path: string, options: { readonly nofollow?: boolean } = {}): Promise<Place> {
  const handle = await open(path, O_PATH | constants.O_DIRECTORY | (options.nofollow ? constants.O_NOFOLLOW : 0));
  return {
    at: (name) => `/proc/self/fd/${handle.fd}/${name}`,
    isPrivate: async () => {
      const { uid, mode } = await handle.stat();
      return uid === process.geteuid?.() && (mode & 0o077) === 0;
    },
    [Symbol.asyncDispose]: () => handle.close(),
  };
}
