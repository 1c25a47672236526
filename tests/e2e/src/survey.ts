// SPDX-License-Identifier: Apache-2.0
//
// A program: reads a directory tree through the kernel and prints what a program can see of it, as JSON. It shares no code
// with the product. In a mount namespace of its own it first mounts an EROFS image there.
//
//   node survey.ts DIR
//   unshare --mount node survey.ts DIR IMAGE [DEVICE...]

import { createHash } from 'node:crypto';
import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import koffi from 'koffi';

/** What of an entry is the same wherever the tree stands. */
export interface Surveyed {
  /** Octal, with the type bits. */
  readonly mode: string;
  readonly owner: string;
  /** Seconds and nanoseconds. */
  readonly mtime: string;
  /** Of anything but directories: of those file systems have their own idea. */
  readonly size?: string;
  readonly device?: string;
  readonly target?: string;
  readonly sha256?: string;
  /** The first path, in order, of the same file, and how many names it has. */
  readonly links?: string;
  readonly xattrs?: Readonly<Record<string, string>>;
}

/** By path, each byte a character; `.` is the root. */
export type Survey = Readonly<Record<string, Surveyed>>;

const library = koffi.load(null);
const llistxattr = library.func('long llistxattr(const uint8_t *path, _Out_ uint8_t *list, size_t size)');
const lgetxattr = library.func(
  'long lgetxattr(const uint8_t *path, const uint8_t *name, _Out_ uint8_t *value, size_t size)',
);
const mount = library.func(
  'int mount(const char *source, const char *target, const char *type, uint64_t flags, const char *data)',
);
const buffer = Buffer.alloc(1 << 20);

function survey(root: string): Survey {
  const found: Record<string, Surveyed> = {};
  const firstPaths = new Map<bigint, string>();
  const pending = ['.'];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const full = Buffer.from(`${root}/${path}`, 'latin1');
    const stat = lstatSync(full, { bigint: true });
    const isDirectory = stat.isDirectory();
    if (!isDirectory && !firstPaths.has(stat.ino)) firstPaths.set(stat.ino, path);
    const isDevice = stat.isCharacterDevice() || stat.isBlockDevice();
    const xattrs = xattrsOf(full);
    found[path] = {
      mode: stat.mode.toString(8),
      owner: `${stat.uid}:${stat.gid}`,
      mtime: `${stat.mtimeNs / 1_000_000_000n}.${stat.mtimeNs % 1_000_000_000n}`,
      ...(isDirectory ? {} : { size: String(stat.size), links: `${firstPaths.get(stat.ino)} ${stat.nlink}` }),
      ...(isDevice ? { device: String(stat.rdev) } : {}),
      ...(stat.isSymbolicLink() ? { target: readlinkSync(full, 'latin1') } : {}),
      ...(stat.isFile() ? { sha256: hashOf(full) } : {}),
      ...(Object.keys(xattrs).length === 0 ? {} : { xattrs }),
    };
    if (isDirectory) pending.push(...namesIn(full).map((name) => (path === '.' ? name : `${path}/${name}`)));
  }
  return found;
}

/** From the last, so that the first is taken next. */
function namesIn(directory: Buffer): readonly string[] {
  const names = readdirSync(directory, { encoding: 'buffer' }).map((name) => name.toString('latin1'));
  return names.sort().reverse();
}

function hashOf(path: Buffer): string {
  const hash = createHash('sha256');
  const file = openSync(path, 'r');
  for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer))
    hash.update(buffer.subarray(0, read));
  closeSync(file);
  return hash.digest('hex');
}

function xattrsOf(path: Buffer): Record<string, string> {
  const terminated = Buffer.concat([path, Buffer.of(0)]);
  const names = buffer
    .toString('latin1', 0, checked(llistxattr(terminated, buffer, 65_536), path))
    .split('\0')
    .slice(0, -1);
  return Object.fromEntries(
    names.sort().map((name) => {
      const key = Buffer.from(`${name}\0`, 'latin1');
      return [name, buffer.toString('hex', 0, checked(lgetxattr(terminated, key, buffer, 65_536), path))];
    }),
  );
}

function checked(result: unknown, path: unknown): number {
  if (Number(result) >= 0) return Number(result);
  throw new Error(`error ${koffi.errno()} for ${String(path)}`);
}

const MS_RDONLY = 1;

const [dir = '', ...images] = process.argv.slice(2);
if (images.length > 0) {
  // By handle: the options of a mount are one page.
  const [source, ...devices] = images.map((path) => `/proc/self/fd/${openSync(path, 'r')}`);
  checked(mount(source, dir, 'erofs', MS_RDONLY, devices.map((path) => `device=${path}`).join(',')), source);
}
process.stdout.write(JSON.stringify(survey(dir)));
