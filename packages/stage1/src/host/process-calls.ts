// SPDX-License-Identifier: Apache-2.0
import type { ResourceLimit } from '../oci-spec/index.ts';
import type { Binder } from './binder.ts';

/** credentials(7), by number. */
export interface UserIds {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
}

/** What a process that is spawned inherits from the calling thread. `work` is synchronous, as in a namespace. */
export interface ProcessCalls {
  /** Until the calling thread enters another mount namespace, whose root becomes its own. */
  chroot(path: string): void;
  /**
   * Makes what is mounted there the root of the current mount namespace, and of every process in it whose root that was;
   * what was the root is there no more. Changes the working directory.
   */
  pivotRoot(path: string): void;
  /**
   * Works as somebody else, with the files nobody else may see and the capabilities nobody else has out of reach. Only the
   * calling thread changes, and it changes back; a program that is executed meanwhile cannot (execve(2): the saved IDs
   * become the effective ones).
   */
  asUser<T>(user: UserIds, work: () => T): T;
  /** Closes whatever was left open for us, but for the standard streams, in every program that is executed from now on. */
  keepDescriptors(): void;
  /** Works with so many open files. */
  withOpenFiles<T>(limit: ResourceLimit, work: () => T): T;
}

const RLIMIT_NOFILE = 7;
const SYS_CLOSE_RANGE = 436;
const CLOSE_RANGE_CLOEXEC = 4;
const MNT_DETACH = 2;

/**
 * The C library's functions change the IDs of every thread, and so cannot be used. Numbers of the system calls, which
 * differ: asm/unistd_64.h, asm-generic/unistd.h.
 */
const numbers = {
  x64: { setgroups: 116, setresuid: 117, setresgid: 119, pivot_root: 155 },
  arm64: { pivot_root: 41, setresuid: 147, setresgid: 149, setgroups: 159 },
} as const;

function systemCalls(): (typeof numbers)[keyof typeof numbers] {
  const { arch } = process;
  if (arch === 'x64' || arch === 'arm64') return numbers[arch];
  throw new TypeError(`the system calls of ${arch} are not known`);
}

export function processCalls(call: Binder): ProcessCalls {
  const chroot = call('chroot', 'const uint8_t *');
  const pivotRoot = call('syscall', 'long, const uint8_t *, const uint8_t *');
  const umount2 = call('umount2', 'const uint8_t *, int');
  const prlimit = call('prlimit', 'int, int, const uint64_t *, uint64_t *');
  const closeRange = call('syscall', 'long, uint32_t, uint32_t, uint32_t');
  return {
    chroot: (path) => {
      if (path.includes('\0')) throw new TypeError('a path contains a NUL');
      chroot(Buffer.from(`${path}\0`));
    },
    pivotRoot: (path) => {
      process.chdir(path);
      // pivot_root(2), "pivot_root(\".\", \".\")": the old root lies over the new one then, and is taken away.
      const here = Buffer.from('.\0');
      pivotRoot(systemCalls().pivot_root, here, here);
      umount2(here, MNT_DETACH);
    },
    asUser: userChanger(call),
    keepDescriptors: () => void closeRange(SYS_CLOSE_RANGE, 3, 0xffffffff, CLOSE_RANGE_CLOEXEC),
    withOpenFiles: ({ soft, hard }, work) => {
      const before = new BigUint64Array(2);
      // The hard limit stays: it is what we have, and could not be raised again.
      prlimit(0, RLIMIT_NOFILE, null, before);
      const [, own = 0n] = before;
      const most = BigInt(hard) < own ? BigInt(hard) : own;
      const wanted = BigInt(soft) < most ? BigInt(soft) : most;
      prlimit(0, RLIMIT_NOFILE, BigUint64Array.of(wanted, own), null);
      try {
        return work();
      } finally {
        prlimit(0, RLIMIT_NOFILE, before, null);
      }
    },
  };
}

function userChanger(call: Binder): ProcessCalls['asUser'] {
  const setGroups = call('syscall', 'long, size_t, const uint32_t *');
  const setIds = call('syscall', 'long, uint32_t, uint32_t, uint32_t');
  return ({ uid, gid, additionalGids }, work) => {
    const { setgroups, setresgid, setresuid } = systemCalls();
    const home = { uid: process.getuid?.() ?? 0, euid: process.geteuid?.() ?? 0, groups: process.getgroups?.() ?? [] };
    const group = { real: process.getgid?.() ?? 0, effective: process.getegid?.() ?? 0 };
    const changeGroups = (groups: readonly number[]): void => {
      setGroups(setgroups, groups.length, Uint32Array.from(groups));
    };
    changeGroups(additionalGids);
    try {
      setIds(setresgid, gid, gid, gid);
      setIds(setresuid, uid, uid, home.euid);
      return work();
    } finally {
      // First the user, whose rights the rest takes.
      setIds(setresuid, home.uid, home.euid, home.euid);
      setIds(setresgid, group.real, group.effective, group.effective);
      changeGroups(home.groups);
    }
  };
}
