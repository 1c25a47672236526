// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:os';

const LOCK_EX = 2;
const LOCK_NB = 4;

interface Libc {
  readonly flock: (fd: number, operation: number) => number;
  readonly syncfs: (fd: number) => number;
  readonly errno: () => number;
}

let libc: Promise<Libc> | undefined;

/**
 * Takes an exclusive flock(2) on an open file without waiting. The lock lives as long as the open file description,
 * so the kernel drops it when the process dies, however it dies.
 *
 * @returns false when somebody else has it
 */
export async function tryFlock(fd: number): Promise<boolean> {
  const { flock, errno } = await loadedLibc();
  for (;;) {
    if (flock(fd, LOCK_EX | LOCK_NB) === 0) return true;
    const code = errno();
    if (code === constants.errno.EWOULDBLOCK) return false;
    if (code !== constants.errno.EINTR) throw systemError('flock', code);
  }
}

/** syncfs(2): makes everything written so far to the file system of `fd` durable, with one call for a whole tree. */
export async function syncFileSystem(fd: number): Promise<void> {
  const { syncfs, errno } = await loadedLibc();
  if (syncfs(fd) !== 0) throw systemError('syncfs', errno());
}

function loadedLibc(): Promise<Libc> {
  libc ??= load();
  return libc;
}

/** Only operations that write layers or images get here: `koffi` costs 10 ms to load, which the way to `run` must not pay. */
async function load(): Promise<Libc> {
  const { default: koffi } = await import('koffi');
  // Without a name: whichever C library this process already runs on.
  const library = koffi.load(null);
  const flock = library.func('int flock(int fd, int operation)');
  const syncfs = library.func('int syncfs(int fd)');
  return {
    flock: (fd, operation) => Number(flock(fd, operation)),
    syncfs: (fd) => Number(syncfs(fd)),
    errno: () => koffi.errno(),
  };
}

function systemError(syscall: string, errno: number): Error {
  const code = Object.entries(constants.errno).find(([, value]) => value === errno)?.[0] ?? 'EIO';
  return Object.assign(new Error(`${code}: ${syscall} failed`), { code, syscall, errno });
}
