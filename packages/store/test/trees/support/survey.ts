// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import koffi from 'koffi';

/** Everything a program can see of an entry, except what differs between file systems by nature. */
export interface SurveyEntry {
  /** Byte string, relative to the root of the survey; `''` is the root. */
  readonly path: string;
  /** With the type bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  readonly mtimeNs: bigint;
  /** Of anything but directories. */
  readonly size: bigint | undefined;
  readonly device: bigint;
  readonly target: string | undefined;
  readonly sha256: string | undefined;
  /** The first path (in order) with the same inode number. */
  readonly sameAs: string;
  readonly xattrs: Readonly<Record<string, string>>;
}

/** Reads a whole directory tree through the kernel. Paths may not end with a slash. */
export function survey(root: string): readonly SurveyEntry[] {
  const entries: SurveyEntry[] = [];
  const firstPaths = new Map<bigint, string>();
  const pending = [''];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const full = Buffer.from(path === '' ? `${root}/.` : `${root}/${path}`, 'latin1');
    const stat = lstatSync(full, { bigint: true });
    if (stat.isDirectory()) {
      const names = readdirSync(full, { encoding: 'buffer' }).map((name) => name.toString('latin1'));
      const below = path;
      pending.push(
        ...names
          .sort()
          .reverse()
          .map((name) => (below === '' ? name : `${below}/${name}`)),
      );
    }
    if (!firstPaths.has(stat.ino)) firstPaths.set(stat.ino, path);
    entries.push({
      path,
      mode: Number(stat.mode),
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      links: Number(stat.nlink),
      mtimeNs: stat.mtimeNs,
      size: stat.isDirectory() ? undefined : stat.size,
      device: stat.rdev,
      target: stat.isSymbolicLink() ? readlinkSync(full, { encoding: 'buffer' }).toString('latin1') : undefined,
      sha256: stat.isFile() ? createHash('sha256').update(readFileSync(full)).digest('hex') : undefined,
      sameAs: firstPaths.get(stat.ino) ?? '',
      xattrs: readXattrs(full),
    });
  }
  return entries;
}

const library = koffi.load(null);
const llistxattr = library.func('long llistxattr(const uint8_t *path, _Out_ uint8_t *list, size_t size)');
const lgetxattr = library.func(
  'long lgetxattr(const uint8_t *path, const uint8_t *name, _Out_ uint8_t *value, size_t size)',
);

function readXattrs(path: Buffer): Record<string, string> {
  const pathZ = Buffer.concat([path, Buffer.of(0)]);
  const list = Buffer.alloc(65536);
  const length = Number(llistxattr(pathZ, list, list.length));
  if (length < 0) throw new Error(`llistxattr failed: ${koffi.errno()} for ${path.toString('latin1')}`);
  const names = list.subarray(0, length).toString('latin1').split('\0').slice(0, -1).sort();
  return Object.fromEntries(names.map((name) => [name, readXattr(pathZ, name)]));
}

function readXattr(pathZ: Buffer, name: string): string {
  const value = Buffer.alloc(65536);
  const length = Number(lgetxattr(pathZ, Buffer.from(`${name}\0`, 'latin1'), value, value.length));
  if (length < 0) throw new Error(`lgetxattr ${name} failed: ${koffi.errno()}`);
  return value.subarray(0, length).toString('latin1');
}
