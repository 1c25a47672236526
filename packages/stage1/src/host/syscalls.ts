// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { getSystemErrorName } from 'node:util';
import { Stage1Error } from '../error.ts';
import type { TerminalSize } from '../oci-spec/index.ts';
import type { Binder, Call } from './binder.ts';
import { type ProcessCalls, processCalls } from './process-calls.ts';

/**
 * An EROFS image on files: metadata and, in order, the layer tars it points into. `userNamespace` is the path of one whose
 * ids the mount shows: what belongs to user 0 on the disk belongs to its root then.
 */
export interface ErofsMount {
  readonly source: string;
  readonly devices: readonly string[];
  readonly target: string;
  readonly userNamespace?: string | undefined;
}

/** Paths may be relative to the working directory, which keeps them short and free of what overlay's options treat specially. */
export interface OverlayMount {
  readonly lower: string;
  readonly upper: string;
  readonly work: string;
  readonly target: string;
}

export interface BindMount {
  readonly source: string;
  /** A path, or a descriptor of the place. */
  readonly target: string | number;
  readonly recursive: boolean;
  /** Of everything that is bound, mounts below it included. */
  readonly readOnly: boolean;
  readonly userNamespace?: string | undefined;
}

/** A file system in memory. */
export interface TmpfsMount {
  /** A path, or a descriptor of the place. */
  readonly target: string | number;
  /** tmpfs(5): `mode=1777`. */
  readonly options: readonly string[];
  readonly readOnly: boolean;
}

/**
 * The system calls Node lacks. All are synchronous and act on the calling thread, which must be the main one; every call
 * throws a {@link SystemCallError}.
 */
export interface Syscalls extends ProcessCalls {
  /** Does not wait. @returns false when somebody else holds a lock that is in the way */
  flock(fd: number, mode: 'exclusive' | 'shared'): boolean;
  /** What is read next is what is written from now on. */
  seekToEnd(fd: number): void;
  unshare(flags: number): void;
  setns(fd: number, kind: number): void;
  fchdir(fd: number): void;
  sethostname(name: string): void;
  /** Makes every mount of the current namespace a slave: what is mounted here stays here, what the host unmounts goes. */
  makeSlave(): void;
  mountErofs(mount: ErofsMount): void;
  mountOverlay(mount: OverlayMount): void;
  mountBind(mount: BindMount): void;
  mountTmpfs(mount: TmpfsMount): void;
  /** Everything that is mounted there and below, in the current mount namespace. */
  makeReadOnly(target: string): void;
  /** Detaches at once; the kernel finishes when the last user is gone. */
  unmount(target: string): void;
  /** A pipe, both ends closed on exec. Unlike Node's, which are socket pairs, it can be opened by name below /proc. */
  pipe(): { readonly read: number; readonly write: number };
  /** Connects to a socket of packets, unix(7), which Node cannot; read(2) then gives one packet at a time. */
  connectPackets(path: string): number;
  /**
   * One datagram to a socket, unix(7), of which Node knows none of that kind. A name that begins with `@` is an abstract one.
   */
  sendDatagram(name: string, bytes: Uint8Array): void;
  /** Of a connected socket, both ways: whoever waits for it is woken. */
  shutdown(fd: number): void;
  /** Opens a path with `root` as the root directory: neither `..` nor a symbolic link leads out of it. */
  openInRoot(root: number, path: string, flags: number): number;
  /** Brings the loopback interface of the current network namespace up. */
  bringUpLoopback(): void;
  /** Of a terminal; the kernel tells its foreground processes. */
  setWindowSize(fd: number, size: TerminalSize): void;
}

/** A system call failed. `code` is the errno's name. */
export class SystemCallError extends Error {
  override readonly name: string = 'SystemCallError';
  readonly code: string;
  readonly syscall: string;

  constructor(syscall: string, errno: number) {
    const code = getSystemErrorName(-errno);
    super(`${syscall} failed: ${code}`);
    this.code = code;
    this.syscall = syscall;
  }
}

export const CLONE_NEWNS = 0x20000;
export const CLONE_NEWUTS = 0x4000000;
export const CLONE_NEWIPC = 0x8000000;
export const CLONE_NEWNET = 0x40000000;
export const CLONE_FS = 0x200;

let loaded: Promise<Syscalls> | undefined;

/**
 * Binds the C library this process runs on; the first call loads the native bridge, so only what needs it should ask.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_SYSCALLS_UNAVAILABLE
 */
export function loadSyscalls(): Promise<Syscalls> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<Syscalls> {
  try {
    const { default: koffi } = await import('koffi');
    const library = koffi.load(null);
    return bindSyscalls({ bind: (declaration) => library.func(declaration), errno: () => koffi.errno() });
  } catch (error) {
    const message = 'the native bridge for system calls cannot be loaded';
    throw new Stage1Error('ERR_RKT_STAGE1_SYSCALLS_UNAVAILABLE', message, { cause: error });
  }
}

interface Bridge {
  bind(declaration: string): (...values: readonly unknown[]) => number;
  errno(): number;
}

function bindSyscalls(bridge: Bridge): Syscalls {
  const call: Binder = (name, parameters) => {
    let bound: Call | undefined;
    return (...values) => {
      // Declared when first used: a declaration costs more than most of the calls.
      // The C library's functions give an int; declared wider, their -1 could pass for a large number.
      bound ??= bridge.bind(`${name === 'syscall' ? 'long' : 'int'} ${name}(${parameters})`);
      const result = bound(...values);
      if (result < 0) throw new SystemCallError(name, bridge.errno());
      return result;
    };
  };
  return {
    ...namespaceCalls(call),
    ...mountCalls(call),
    ...fileCalls(call),
    ...deviceCalls(call),
    ...socketCalls(call),
    ...processCalls(call),
  };
}

function namespaceCalls(call: Binder): Pick<Syscalls, 'unshare' | 'setns' | 'fchdir' | 'sethostname'> {
  const unshare = call('unshare', 'int');
  const setns = call('setns', 'int, int');
  const fchdir = call('fchdir', 'int');
  const sethostname = call('sethostname', 'const uint8_t *, size_t');
  return {
    unshare: (flags) => void unshare(flags),
    setns: (fd, kind) => void setns(fd, kind),
    fchdir: (fd) => void fchdir(fd),
    sethostname: (name) => {
      const bytes = Buffer.from(name);
      sethostname(bytes, bytes.length);
    },
  };
}

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const SEEK_END = 2;
const SYS_OPENAT2 = 437;
const RESOLVE_NO_MAGICLINKS = 0x02n;
const RESOLVE_IN_ROOT = 0x10n;
const O_CLOEXEC = 0o2000000;

function fileCalls(call: Binder): Pick<Syscalls, 'flock' | 'openInRoot' | 'pipe' | 'seekToEnd'> {
  const lseek = call('lseek', 'int, int64_t, int');
  const flock = call('flock', 'int, int');
  const pipe2 = call('pipe2', 'int32_t *, int');
  const openat2 = call('syscall', 'long, int, const uint8_t *, const uint64_t *, size_t');
  return {
    flock: (fd, mode) => {
      try {
        flock(fd, (mode === 'exclusive' ? LOCK_EX : LOCK_SH) | LOCK_NB);
        return true;
      } catch (error) {
        if (error instanceof SystemCallError && error.code === 'EAGAIN') return false;
        throw error;
      }
    },
    seekToEnd: (fd) => void lseek(fd, 0, SEEK_END),
    pipe: () => {
      const ends = new Int32Array(2);
      pipe2(ends, O_CLOEXEC);
      const [read = -1, write = -1] = ends;
      return { read, write };
    },
    openInRoot: (root, path, flags) => {
      const how = BigUint64Array.of(BigInt(flags | O_CLOEXEC), 0n, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
      return openat2(SYS_OPENAT2, root, cString(path), how, how.byteLength);
    },
  };
}

const MS_SLAVE_REC = 0x80000n | 0x4000n;
const MNT_DETACH = 2;
/** Numbers of the mount calls: the same on every architecture Linux has. */
const SYS_OPEN_TREE = 428;
const SYS_MOVE_MOUNT = 429;
const SYS_FSOPEN = 430;
const SYS_FSCONFIG = 431;
const SYS_FSMOUNT = 432;
const SYS_MOUNT_SETATTR = 442;
const CLOEXEC = 1;
const FSCONFIG_SET_FLAG = 0;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;
const MOUNT_ATTR_RDONLY = 1;
const MOUNT_ATTR_NOSUID = 2;
const MOUNT_ATTR_NODEV = 4;
const MOUNT_ATTR_IDMAP = 0x100000;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const MOVE_MOUNT_T_EMPTY_PATH = 0x40;
const OPEN_TREE_CLONE = 1;
const AT_EMPTY_PATH = 0x1000;
const AT_RECURSIVE = 0x8000;
const AT_FDCWD = -100;

type MountCalls = Pick<
  Syscalls,
  'makeSlave' | 'makeReadOnly' | 'mountErofs' | 'mountOverlay' | 'mountBind' | 'mountTmpfs' | 'unmount'
>;

function mountCalls(call: Binder): MountCalls {
  const mount = call('mount', 'const uint8_t *, const uint8_t *, const uint8_t *, uint64_t, const uint8_t *');
  const umount2 = call('umount2', 'const uint8_t *, int');
  const openTree = call('syscall', 'long, int, const uint8_t *, uint32_t');
  const moveMount = call('syscall', 'long, int, const uint8_t *, int, const uint8_t *, uint32_t');
  const setAttributes = call('syscall', 'long, int, const uint8_t *, uint32_t, const uint64_t *, size_t');
  const mountFileSystem = fileSystemMounter(call);
  /** Of a mount that is not attached yet, and of those below it. */
  const change = (handle: number, attributes: MountAttributes): void => {
    const { readOnly = false, userNamespace, depth = 0 } = attributes;
    if (!readOnly && userNamespace === undefined) return;
    const namespace = userNamespace === undefined ? undefined : openSync(userNamespace, 'r');
    try {
      const set = (readOnly ? MOUNT_ATTR_RDONLY : 0) | (namespace === undefined ? 0 : MOUNT_ATTR_IDMAP);
      const wanted = BigUint64Array.of(BigInt(set), 0n, 0n, BigInt(namespace ?? 0));
      setAttributes(SYS_MOUNT_SETATTR, handle, cString(''), AT_EMPTY_PATH | depth, wanted, wanted.byteLength);
    } finally {
      if (namespace !== undefined) closeSync(namespace);
    }
  };
  const attach = (handle: number, target: string | number): void => {
    const [fd, path, empty] =
      typeof target === 'string' ? [AT_FDCWD, target, 0] : [target, '', MOVE_MOUNT_T_EMPTY_PATH];
    moveMount(SYS_MOVE_MOUNT, handle, cString(''), fd, cString(path), MOVE_MOUNT_F_EMPTY_PATH | empty);
  };
  return {
    makeSlave: () => void mount(null, cString('/'), null, MS_SLAVE_REC, null),
    makeReadOnly: (target) => {
      const wanted = BigUint64Array.of(BigInt(MOUNT_ATTR_RDONLY), 0n, 0n, 0n);
      setAttributes(SYS_MOUNT_SETATTR, AT_FDCWD, cString(target), AT_RECURSIVE, wanted, wanted.byteLength);
    },
    mountErofs: ({ source, devices, target, userNamespace }) => {
      const handles: number[] = [];
      try {
        for (const path of [source, ...devices]) handles.push(openSync(path, 'r'));
        // By handle: fsconfig(2) takes at most 255 bytes, which paths of files may exceed.
        const options = handles.map((handle, index) => [index === 0 ? 'source' : 'device', `/proc/self/fd/${handle}`]);
        mountFileSystem('erofs', { flags: ['ro'], options, attributes: MOUNT_ATTR_RDONLY }, (fd) => {
          change(fd, { userNamespace });
          attach(fd, target);
        });
      } finally {
        for (const handle of handles) closeSync(handle);
      }
    },
    mountOverlay: ({ lower, upper, work, target }) => {
      const paths = [
        ['lowerdir', lower],
        ['upperdir', upper],
        ['workdir', work],
      ];
      // Written down, not left to the kernel's configuration: what a pod writes must not depend on the host's defaults.
      const features = [
        ['index', 'off'],
        ['metacopy', 'off'],
        ['redirect_dir', 'nofollow'],
      ];
      const options = [['source', 'overlay'], ...paths, ...features];
      mountFileSystem('overlay', { flags: [], options, attributes: MOUNT_ATTR_NODEV }, (fd) => attach(fd, target));
    },
    mountBind: ({ source, target, recursive, readOnly, userNamespace }) => {
      const depth = recursive ? AT_RECURSIVE : 0;
      const tree = openTree(SYS_OPEN_TREE, AT_FDCWD, cString(source), OPEN_TREE_CLONE | O_CLOEXEC | depth);
      try {
        change(tree, { readOnly, userNamespace, depth });
        attach(tree, target);
      } finally {
        closeSync(tree);
      }
    },
    mountTmpfs: ({ target, options, readOnly }) => {
      const attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (readOnly ? MOUNT_ATTR_RDONLY : 0);
      const pairs = [['source', 'tmpfs'], ...options.map((option) => option.split('='))];
      mountFileSystem('tmpfs', { flags: [], options: pairs, attributes }, (fd) => attach(fd, target));
    },
    unmount: (target) => void umount2(cString(target), MNT_DETACH),
  };
}

interface MountAttributes {
  readonly readOnly?: boolean;
  readonly userNamespace?: string | undefined;
  /** AT_RECURSIVE or nothing. */
  readonly depth?: number;
}

interface FileSystemOptions {
  readonly flags: readonly string[];
  readonly options: readonly (readonly string[])[];
  readonly attributes: number;
}

function fileSystemMounter(call: Binder): (type: string, o: FileSystemOptions, use: (fd: number) => void) => void {
  const fsopen = call('syscall', 'long, const uint8_t *, uint32_t');
  const fsconfig = call('syscall', 'long, int, uint32_t, const uint8_t *, const uint8_t *, int');
  const fsmount = call('syscall', 'long, int, uint32_t, uint32_t');
  return (type, { flags, options, attributes }, use) => {
    const context = fsopen(SYS_FSOPEN, cString(type), CLOEXEC);
    try {
      for (const flag of flags) fsconfig(SYS_FSCONFIG, context, FSCONFIG_SET_FLAG, cString(flag), null, 0);
      for (const [key = '', value = ''] of options) {
        fsconfig(SYS_FSCONFIG, context, FSCONFIG_SET_STRING, cString(key), cString(value), 0);
      }
      fsconfig(SYS_FSCONFIG, context, FSCONFIG_CMD_CREATE, null, null, 0);
      const handle = fsmount(SYS_FSMOUNT, context, CLOEXEC, attributes);
      try {
        use(handle);
      } finally {
        closeSync(handle);
      }
    } finally {
      closeSync(context);
    }
  };
}

const AF_INET = 2;
const SOCK_DGRAM_CLOEXEC = 2 | O_CLOEXEC;
const SIOCSIFFLAGS = 0x8914n;
const IFF_UP_RUNNING = 0x1 | 0x40;
/** `struct ifreq` of a 64-bit platform: a name of 16 bytes, then the flags. */
const IFREQ_SIZE = 40;

const TIOCSWINSZ = 0x5414n;

function deviceCalls(call: Binder): Pick<Syscalls, 'bringUpLoopback' | 'setWindowSize'> {
  const socket = call('socket', 'int, int, int');
  const ioctl = call('ioctl', 'int, uint64_t, const uint8_t *');
  return {
    bringUpLoopback: () => {
      const request = Buffer.alloc(IFREQ_SIZE);
      request.write('lo');
      request.writeInt16LE(IFF_UP_RUNNING, 16);
      const fd = socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0);
      try {
        ioctl(fd, SIOCSIFFLAGS, request);
      } finally {
        closeSync(fd);
      }
    },
    // `struct winsize`: rows, columns, and a size in pixels that nobody knows.
    setWindowSize: (fd, { width, height }) => {
      const words = Uint16Array.of(height, width, 0, 0);
      ioctl(fd, TIOCSWINSZ, new Uint8Array(words.buffer));
    },
  };
}

const AF_UNIX = 1;
const SOCK_SEQPACKET_CLOEXEC = 5 | O_CLOEXEC;
const SHUT_RDWR = 2;
const MSG_NOSIGNAL = 0x4000;

function socketCalls(call: Binder): Pick<Syscalls, 'connectPackets' | 'sendDatagram' | 'shutdown'> {
  const socket = call('socket', 'int, int, int');
  const connect = call('connect', 'int, const uint8_t *, uint32_t');
  const sendto = call('sendto', 'int, const uint8_t *, size_t, int, const uint8_t *, uint32_t');
  const shutdown = call('shutdown', 'int, int');
  return {
    connectPackets: (path) => {
      // By handle: an address takes at most 107 bytes, which paths may exceed.
      const directory = openSync(dirname(path), 'r');
      const fd = socket(AF_UNIX, SOCK_SEQPACKET_CLOEXEC, 0);
      try {
        const name = cString(`/proc/self/fd/${directory}/${basename(path)}`);
        const family = new Uint8Array(Uint16Array.of(AF_UNIX).buffer);
        connect(fd, Buffer.concat([family, name]), family.length + name.length);
        return fd;
      } catch (error) {
        closeSync(fd);
        throw error;
      } finally {
        closeSync(directory);
      }
    },
    sendDatagram: (name, bytes) => {
      const family = new Uint8Array(Uint16Array.of(AF_UNIX).buffer);
      // An abstract name has no terminator: all of its bytes count.
      const place = name.startsWith('@') ? Buffer.from(`\0${name.slice(1)}`) : cString(name);
      const address = Buffer.concat([family, place]);
      const fd = socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
      try {
        sendto(fd, bytes, bytes.length, MSG_NOSIGNAL, address, address.length);
      } finally {
        closeSync(fd);
      }
    },
    shutdown: (fd) => void shutdown(fd, SHUT_RDWR),
  };
}

/** With its terminator. A NUL inside would cut the string short, so that a different path would be used than was checked. */
function cString(text: string): Uint8Array {
  if (text.includes('\0')) throw new TypeError('a string for a system call contains a NUL');
  return Buffer.from(`${text}\0`);
}
