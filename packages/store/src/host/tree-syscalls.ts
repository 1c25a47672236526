// SPDX-License-Identifier: Apache-2.0
import { closeSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';

/**
 * The system calls that writing trees needs and Node lacks. All take directory handles and single names: nothing here
 * resolves a path an image has chosen. Strings are byte strings. Every call throws a {@link SystemCallError}.
 */
export interface TreeSyscalls {
  openat(directory: number, name: string, flags: number, mode: number): number;
  mkdirat(directory: number, name: string, mode: number): void;
  symlinkat(target: string, directory: number, name: string): void;
  linkat(from: DirectoryEntry, to: DirectoryEntry): void;
  /** `mode` with the type bits; subject to the umask. */
  mknodat(directory: number, name: string, node: { readonly mode: number; readonly device: bigint }): void;
  /** Does not follow symbolic links. */
  fchownat(entry: DirectoryEntry, uid: number, gid: number): void;
  /** Sets access and modification time. Does not follow symbolic links. */
  utimensat(entry: DirectoryEntry, time: FileTime): void;
  futimens(file: number, time: FileTime): void;
  fsetxattr(file: number, name: string, value: Uint8Array): void;
  /** For what cannot be opened (symbolic links, devices, fifos); the last component is not followed. */
  lsetxattr(entry: DirectoryEntry, name: string, value: Uint8Array): void;
  /** Names of extended attributes, NUL-terminated one after the other. Does not follow symbolic links. */
  llistxattr(path: Uint8Array): Uint8Array;
  lgetxattr(path: Uint8Array, name: Uint8Array): Uint8Array;
  /** Bytes copied; 0 at the end of the source. */
  copyFileRange(from: FilePosition, to: FilePosition, length: number): number;
  /**
   * A handle to the root of a read-only EROFS mount that is in no mount namespace: closing it unmounts. Takes handles
   * of the metadata and of the layers, which may be closed afterwards.
   */
  mountErofsDetached(source: number, devices: readonly number[]): number;
}

export interface DirectoryEntry {
  readonly directory: number;
  readonly name: string;
}
export interface FilePosition {
  readonly file: number;
  readonly offset: number;
}
export interface FileTime {
  /** Since the epoch, may be negative. */
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** A system call failed. `code` is the errno's name. */
export class SystemCallError extends Error {
  override readonly name: string = 'SystemCallError';
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;

  constructor(syscall: string, errno: number) {
    const code = getSystemErrorName(-errno);
    super(`${syscall} failed: ${code}`);
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
  }
}

/**
 * Loads the native bridge (about 10 ms the first time) and binds calls of the C library of this process, whichever it
 * is. Throws what the loader throws where the platform has no bridge.
 */
export async function loadTreeSyscalls(): Promise<TreeSyscalls> {
  const { default: koffi } = await import('koffi');
  const library = koffi.load(null);
  return createTreeSyscalls({ bind: (declaration) => library.func(declaration), errno: () => koffi.errno() });
}

/** What the calls are made of. */
interface Bridge {
  bind(declaration: string): (...values: readonly unknown[]) => number;
  errno(): number;
}

const AT_SYMLINK_NOFOLLOW = 0x100;
const O_CLOEXEC = 0o2000000;

function createTreeSyscalls(bridge: Bridge): TreeSyscalls {
  /** Binds a function that returns -1 and sets errno on failure. A result type that is too wide would hide the -1. */
  const call: Binder = (result, name, parameters) => {
    const bound = bridge.bind(`${result} ${name}(${parameters})`);
    return (...values) => {
      const returned = bound(...values);
      if (returned < 0) throw new SystemCallError(name, bridge.errno());
      return returned;
    };
  };
  return {
    ...namespaceCalls(call),
    ...attributeCalls(call),
    ...xattrQueries(call),
    ...dataCalls(call),
    ...mountCalls(call),
  };
}

type Binder = (result: 'int' | 'long', name: string, parameters: string) => (...values: readonly unknown[]) => number;

type NamespaceCalls = Pick<TreeSyscalls, 'openat' | 'mkdirat' | 'symlinkat' | 'linkat' | 'mknodat'>;

function namespaceCalls(call: Binder): NamespaceCalls {
  const openat = call('int', 'openat', 'int, const uint8_t *, int, uint32_t');
  const mkdirat = call('int', 'mkdirat', 'int, const uint8_t *, uint32_t');
  const symlinkat = call('int', 'symlinkat', 'const uint8_t *, int, const uint8_t *');
  const linkat = call('int', 'linkat', 'int, const uint8_t *, int, const uint8_t *, int');
  const mknodat = call('int', 'mknodat', 'int, const uint8_t *, uint32_t, uint64_t');
  return {
    openat: (directory, name, flags, mode) => openat(directory, cString(name), flags | O_CLOEXEC, mode),
    mkdirat: (directory, name, mode) => void mkdirat(directory, cString(name), mode),
    symlinkat: (target, directory, name) => void symlinkat(cString(target), directory, cString(name)),
    linkat: (from, to) => void linkat(from.directory, cString(from.name), to.directory, cString(to.name), 0),
    mknodat: (directory, name, { mode, device }) => void mknodat(directory, cString(name), mode, device),
  };
}

type AttributeCalls = Pick<TreeSyscalls, 'fchownat' | 'utimensat' | 'futimens' | 'fsetxattr' | 'lsetxattr'>;
type XattrQueries = Pick<TreeSyscalls, 'llistxattr' | 'lgetxattr'>;

function attributeCalls(call: Binder): AttributeCalls {
  const fchownat = call('int', 'fchownat', 'int, const uint8_t *, uint32_t, uint32_t, int');
  const utimensat = call('int', 'utimensat', 'int, const uint8_t *, const int64_t *, int');
  const futimens = call('int', 'futimens', 'int, const int64_t *');
  const fsetxattr = call('int', 'fsetxattr', 'int, const uint8_t *, const uint8_t *, size_t, int');
  const lsetxattr = call('int', 'lsetxattr', 'const uint8_t *, const uint8_t *, const uint8_t *, size_t, int');
  return {
    fchownat: (entry, uid, gid) => void fchownat(entry.directory, cString(entry.name), uid, gid, AT_SYMLINK_NOFOLLOW),
    utimensat: (entry, time) =>
      void utimensat(entry.directory, cString(entry.name), timespecs(time), AT_SYMLINK_NOFOLLOW),
    futimens: (file, time) => void futimens(file, timespecs(time)),
    fsetxattr: (file, name, value) => void fsetxattr(file, cString(name), value, value.length, 0),
    lsetxattr: ({ directory, name: entry }, name, value) =>
      void lsetxattr(cString(`/proc/self/fd/${directory}/${entry}`), cString(name), value, value.length, 0),
  };
}

/** XATTR_SIZE_MAX and XATTR_LIST_MAX of the kernel: no answer is longer. */
const XATTR_ANSWER_MAX = 65_536;

function xattrQueries(call: Binder): XattrQueries {
  const list = call('long', 'llistxattr', 'const uint8_t *, uint8_t *, size_t');
  const get = call('long', 'lgetxattr', 'const uint8_t *, const uint8_t *, uint8_t *, size_t');
  const answer = Buffer.allocUnsafe(XATTR_ANSWER_MAX);
  const copied = (length: number): Uint8Array => Uint8Array.from(answer.subarray(0, length));
  return {
    llistxattr: (path) => copied(list(terminated(path), answer, answer.length)),
    lgetxattr: (path, name) => copied(get(terminated(path), terminated(name), answer, answer.length)),
  };
}

function terminated(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes, Buffer.of(0)]);
}

function dataCalls(call: Binder): Pick<TreeSyscalls, 'copyFileRange'> {
  const copyFileRange = call('long', 'copy_file_range', 'int, int64_t *, int, int64_t *, size_t, uint32_t');
  return {
    copyFileRange: (from, to, length) =>
      copyFileRange(from.file, [BigInt(from.offset)], to.file, [BigInt(to.offset)], length, 0),
  };
}

/** Numbers of the mount calls: the same on every architecture Linux has. */
const SYS_FSOPEN = 430;
const SYS_FSCONFIG = 431;
const SYS_FSMOUNT = 432;
const CLOEXEC = 1;
const FSCONFIG_SET_FLAG = 0;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;
const MOUNT_ATTR_RDONLY = 1;
const MOUNT_ATTR_NOSUID = 2;
const MOUNT_ATTR_NODEV = 4;

function mountCalls(call: Binder): Pick<TreeSyscalls, 'mountErofsDetached'> {
  const fsopen = call('long', 'syscall', 'long, const uint8_t *, uint32_t');
  const fsconfig = call('long', 'syscall', 'long, int, uint32_t, const uint8_t *, const uint8_t *, int');
  const fsmount = call('long', 'syscall', 'long, int, uint32_t, uint32_t');
  return {
    mountErofsDetached: (source, devices) => {
      const context = fsopen(SYS_FSOPEN, cString('erofs'), CLOEXEC);
      try {
        fsconfig(SYS_FSCONFIG, context, FSCONFIG_SET_FLAG, cString('ro'), null, 0);
        fsconfig(SYS_FSCONFIG, context, FSCONFIG_SET_STRING, cString('source'), cString(handlePath(source)), 0);
        for (const device of devices) {
          fsconfig(SYS_FSCONFIG, context, FSCONFIG_SET_STRING, cString('device'), cString(handlePath(device)), 0);
        }
        fsconfig(SYS_FSCONFIG, context, FSCONFIG_CMD_CREATE, null, null, 0);
        return fsmount(SYS_FSMOUNT, context, CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
      } finally {
        closeSync(context);
      }
    },
  };
}

/** fsconfig(2) takes at most 255 bytes, which paths of files may exceed. */
function handlePath(handle: number): string {
  return `/proc/self/fd/${handle}`;
}

/** A byte string with its terminator. Names with a NUL inside must not get here: they would be cut. */
function cString(text: string): Uint8Array {
  if (text.includes('\0')) throw new TypeError('a string for a system call contains a NUL');
  return Buffer.from(`${text}\0`, 'latin1');
}

/** Access and modification time as two `struct timespec` of a 64-bit platform. */
function timespecs({ seconds, nanoseconds }: FileTime): BigInt64Array {
  const [whole, part] = [BigInt(seconds), BigInt(nanoseconds)];
  return BigInt64Array.of(whole, part, whole, part);
}
