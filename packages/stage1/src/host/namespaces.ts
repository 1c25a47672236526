// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { CLONE_FS, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWUTS, type Syscalls } from './syscalls.ts';

export type NamespaceKind = 'mnt' | 'ipc' | 'uts' | 'net';

/**
 * Work done in other namespaces. It is synchronous from beginning to end: an `await` would let the event loop run other
 * code of this process there.
 */
export interface Namespaces {
  /** Makes namespaces of these kinds, works in them, returns to the host's. They live on in children spawned by `work`. */
  inNew<T>(kinds: readonly NamespaceKind[], work: () => T): T;
  /** Works in the mount namespace at a path such as `/proc/123/ns/mnt`. The working directory is that namespace's root. */
  inMount<T>(path: string, work: () => T): T;
  /** Works in these namespaces of a process. */
  inThoseOf<T>(pid: number, kinds: readonly Exclude<NamespaceKind, 'mnt'>[], work: () => T): T;
}

const flags: Readonly<Record<NamespaceKind, number>> = {
  mnt: CLONE_NEWNS,
  ipc: CLONE_NEWIPC,
  uts: CLONE_NEWUTS,
  net: CLONE_NEWNET,
};

export function createNamespaces(syscalls: Syscalls): Namespaces {
  /**
   * setns(2) to a mount namespace is refused while other threads share our root and working directory. Every time: a
   * thread started since, such as those of the thread pool, shares them again.
   */
  const separate = (): void => syscalls.unshare(CLONE_FS);
  const away = <T>(kinds: readonly NamespaceKind[], leave: () => void, work: () => T): T => {
    const home = kinds.map((kind) => ({ kind, fd: openSync(`/proc/thread-self/ns/${kind}`, 'r') }));
    const directory = openSync('.', 'r');
    try {
      leave();
      return work();
    } finally {
      for (const { kind, fd } of home) {
        syscalls.setns(fd, flags[kind]);
        closeSync(fd);
      }
      // Changing the mount namespace moved us to its root.
      syscalls.fchdir(directory);
      closeSync(directory);
    }
  };
  return {
    inNew: (kinds, work) => {
      separate();
      const all = kinds.reduce((sum, kind) => sum | flags[kind], 0);
      const leave = (): void => {
        syscalls.unshare(all);
        if (kinds.includes('net')) skipAddressDetection();
      };
      return away(kinds, leave, work);
    },
    inThoseOf: (pid, kinds, work) => {
      const targets = kinds.map((kind) => ({ kind, fd: openSync(`/proc/${pid}/ns/${kind}`, 'r') }));
      const leave = (): void => {
        for (const { kind, fd } of targets) syscalls.setns(fd, flags[kind]);
      };
      try {
        return away(kinds, leave, work);
      } finally {
        for (const { fd } of targets) closeSync(fd);
      }
    },
    inMount: (path, work) => {
      separate();
      const target = openSync(path, 'r');
      try {
        return away(['mnt'], () => syscalls.setns(target, CLONE_NEWNS), work);
      } finally {
        closeSync(target);
      }
    },
  };
}

/**
 * Nobody else can have an address that a pod is given. Looking for one all the same (RFC 4862, 5.4) would keep every pod
 * with an IPv6 address waiting for one to two seconds; where the setting cannot be changed, or is not there, it does.
 * Of the network namespace we are in.
 */
export function skipAddressDetection(): void {
  try {
    writeFileSync('/proc/sys/net/ipv6/conf/default/accept_dad', '0', { flag: 'r+' });
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
  }
}
