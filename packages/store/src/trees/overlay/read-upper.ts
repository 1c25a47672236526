// SPDX-License-Identifier: Apache-2.0
import { type BigIntStats, lstatSync, readlinkSync } from 'node:fs';
import type { ByteString, EntryAttributes, LayerLimits, TreeNode, UpperDirectory, UpperNode } from '@rkt/appc';
import { deviceParts } from '../../host/device-number.ts';
import { type BytePath, inSlices, type OpenDirectory, openDirectory } from '../../host/open-directory.ts';
import { type XattrCalls, xattrNames } from '../../host/read-xattrs.ts';
import { loadTreeSyscalls } from '../../host/tree-syscalls.ts';
import type { UserRange } from '../../store.ts';
import { treeError } from '../tree-error.ts';
import { idInPod, xattrInPod } from './pod-users.ts';
import { createUpperBudget, type UpperBudget } from './upper-budget.ts';

/** A directory below the one that was read, by its way there. */
export interface UpperPlace {
  readonly parent: UpperPlace | undefined;
  readonly name: Buffer;
}

/** A file with content. Together the files are one run of bytes, as the tar of a layer is. */
export interface UpperFile {
  /** Where its content begins in that run; `tarOffset` of its only extent. */
  readonly start: number;
  readonly size: number;
  /** With the time of its last change, nanoseconds since the epoch: what tells it from another that stands there later. */
  readonly inode: bigint;
  readonly ctimeNs: bigint;
  /** Undefined: it is in the directory that was read itself. */
  readonly place: UpperPlace | undefined;
  readonly name: Buffer;
}

export interface UpperTree {
  readonly root: UpperDirectory;
  /** In the order of their content, which is that of their nodes. */
  readonly files: readonly UpperFile[];
}

export interface ReadUpperOptions {
  /** What the origin of the nodes says. */
  readonly layer: number;
  readonly users: UserRange | undefined;
  /** Of one layer. @default those of fetching */
  readonly limits?: LayerLimits;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads the upper directory of an overlay that is not mounted, names in the order of their bytes; content is left where it is.
 * Whiteouts and opaque directories are what Linux makes of them (Documentation/filesystems/overlayfs.rst); a socket, which no
 * archive can hold, is not there. Follows no symbolic link.
 *
 * @throws TREE_UNSUPPORTED for what the limits of {@link createUpperBudget} do not allow, and what overlays of ours do not write
 */
export async function readUpper(path: string, options: ReadUpperOptions): Promise<UpperTree> {
  const reading = new Reading(await loadTreeSyscalls(), options);
  const pause = inSlices();
  try {
    const root = reading.enter({ path: Buffer.from(path), name: undefined, parent: undefined });
    while (reading.step()) {
      await pause();
      options.signal?.throwIfAborted();
    }
    return { root, files: reading.files };
  } finally {
    reading.close();
  }
}

interface Frame {
  readonly directory: OpenDirectory;
  readonly children: Map<ByteString, UpperNode>;
  readonly place: UpperPlace | undefined;
  /** Within the tree. */
  readonly path: ByteString;
  next: number;
}

interface Entry {
  /** For system calls. */
  readonly path: BytePath;
  /** Undefined: the root. */
  readonly name: Buffer | undefined;
  readonly parent: Frame | undefined;
}

const OPAQUE = 'trusted.overlay.opaque';
/** Part of what stands there is elsewhere: marks of features that our mounts switch off. */
const ELSEWHERE: readonly ByteString[] = ['redirect', 'metacopy', 'whiteout'].map((mark) => `trusted.overlay.${mark}`);
/** overlayfs's own, which no reader of an archive takes. */
const MARKS = /^(trusted|user)\.overlay\./;

class Reading {
  readonly files: UpperFile[] = [];
  readonly #calls: XattrCalls;
  readonly #options: ReadUpperOptions;
  readonly #budget: UpperBudget;
  readonly #stack: Frame[] = [];
  /** Nodes that may be met under further names. */
  readonly #linked = new Map<string, Exclude<TreeNode, { kind: 'directory' }>>();
  #nodes = 0;
  #contentBytes = 0;

  constructor(calls: XattrCalls, options: ReadUpperOptions) {
    this.#calls = calls;
    this.#options = options;
    this.#budget = createUpperBudget(options.limits);
  }

  /** Takes the next entry in; false when there is none. */
  step(): boolean {
    const frame = this.#stack.at(-1);
    if (frame === undefined) return false;
    const name = frame.directory.names[frame.next++];
    if (name === undefined) this.#stack.pop()?.directory.close();
    else
      frame.children.set(
        name.toString('latin1'),
        this.#read({ path: frame.directory.entry(name), name, parent: frame }),
      );
    return true;
  }

  /** A directory; what is in it comes with the next steps. */
  enter(entry: Entry): UpperDirectory {
    const stats = lstatSync(entry.path, { bigint: true });
    const { attributes, isOpaque } = this.#describe(entry, stats, 0);
    const origin = this.#origin();
    const children = new Map<ByteString, UpperNode>();
    const { name, parent } = entry;
    const place = name && { parent: parent?.place, name };
    const path = pathOf(entry);
    const directory = openDirectory(entry.path, (each) => this.#budget.name(below(path, each)));
    this.#stack.push({ directory, children, place, path, next: 0 });
    return { kind: 'directory', attributes, origin, opaque: isOpaque, children };
  }

  close(): void {
    for (const { directory } of this.#stack) directory.close();
  }

  #read(entry: Entry): UpperNode {
    const stats = lstatSync(entry.path, { bigint: true });
    if (stats.isSocket() || (stats.isCharacterDevice() && stats.rdev === 0n)) return { kind: 'whiteout' };
    if (stats.isDirectory()) return this.enter(entry);
    const key = `${stats.dev}:${stats.ino}`;
    const known = this.#linked.get(key);
    if (known !== undefined) return known;
    const node = this.#leaf(entry, stats);
    if (stats.nlink > 1n) this.#linked.set(key, node);
    return node;
  }

  #leaf(entry: Entry, stats: BigIntStats): Exclude<TreeNode, { kind: 'directory' }> {
    const target = stats.isSymbolicLink() ? readlinkSync(entry.path, 'buffer').toString('latin1') : '';
    const { attributes } = this.#describe(entry, stats, target.length);
    const node = { attributes, origin: this.#origin() };
    if (stats.isSymbolicLink()) return { ...node, kind: 'symlink', target };
    if (stats.isFIFO()) return { ...node, kind: 'fifo' };
    if (stats.isFile()) return { ...node, kind: 'file', ...this.#content(entry, stats) };
    const kind = stats.isBlockDevice() ? 'block-device' : 'character-device';
    return { ...node, kind, ...deviceParts(stats.rdev) };
  }

  #content(entry: Entry, stats: BigIntStats): Pick<TreeNode & { kind: 'file' }, 'size' | 'extents'> {
    this.#budget.content(pathOf(entry), stats.size, stats.blocks * 512n);
    const size = Number(stats.size);
    const { name, parent } = entry;
    if (size === 0 || name === undefined) return { size, extents: [] };
    const start = this.#contentBytes;
    this.files.push({ start, size, inode: stats.ino, ctimeNs: stats.ctimeNs, place: parent?.place, name });
    this.#contentBytes += size;
    return { size, extents: [{ fileOffset: 0, tarOffset: start, length: size }] };
  }

  #describe(
    entry: Entry,
    stats: BigIntStats,
    targetBytes: number,
  ): { readonly attributes: EntryAttributes; readonly isOpaque: boolean } {
    const { users } = this.#options;
    const { xattrs, isOpaque } = this.#xattrs(entry);
    let xattrBytes = 0;
    for (const [name, value] of xattrs) xattrBytes += name.length + value.length;
    const path = pathOf(entry);
    this.#budget.texts(path, targetBytes, xattrBytes);
    const time = timeOf(stats.mtimeNs);
    this.#budget.time(path, time.mtime);
    const attributes = {
      mode: Number(stats.mode) & 0o7777,
      uid: idInPod(Number(stats.uid), users),
      gid: idInPod(Number(stats.gid), users),
      ...time,
      ...(xattrs.size > 0 && { xattrs }),
    };
    return { attributes, isOpaque };
  }

  #xattrs(entry: Entry): { readonly xattrs: ReadonlyMap<ByteString, ByteString>; readonly isOpaque: boolean } {
    const xattrs = new Map<ByteString, ByteString>();
    let isOpaque = false;
    for (const name of xattrNames(this.#calls, entry.path)) {
      if (ELSEWHERE.includes(name)) throw elsewhere(name, pathOf(entry));
      const value = Buffer.from(this.#calls.lgetxattr(entry.path, Buffer.from(name, 'latin1'))).toString('latin1');
      if (name === OPAQUE) isOpaque = value === 'y';
      if (MARKS.test(name)) continue;
      const inPod = xattrInPod(name, value, this.#options.users);
      if (inPod !== undefined) xattrs.set(name, inPod);
    }
    return { xattrs, isOpaque };
  }

  #origin(): { readonly layer: number; readonly headerOffset: number } {
    return { layer: this.#options.layer, headerOffset: this.#nodes++ };
  }
}

function pathOf({ name, parent }: Entry): ByteString {
  return parent === undefined || name === undefined ? '' : below(parent.path, name);
}

function below(directory: ByteString, name: Buffer): ByteString {
  const last = name.toString('latin1');
  return directory === '' ? last : `${directory}/${last}`;
}

function elsewhere(mark: ByteString, entry: ByteString): unknown {
  const text = `the overlay was mounted with features that need it to be mounted (${mark})`;
  return treeError('ERR_RKT_STORE_TREE_UNSUPPORTED', text, { entry });
}

const SECOND = 1_000_000_000n;

/** Nanoseconds count forward, also before the epoch. */
function timeOf(nanoseconds: bigint): Pick<EntryAttributes, 'mtime' | 'mtimeNanoseconds'> {
  const part = ((nanoseconds % SECOND) + SECOND) % SECOND;
  return { mtime: Number((nanoseconds - part) / SECOND), mtimeNanoseconds: Number(part) };
}
