// SPDX-License-Identifier: Apache-2.0
import type { Stats } from 'node:fs';
import { lstat, open, readdir, readlink } from 'node:fs/promises';
import { isNotFound } from '../errors.ts';

/** A directory on disk; names are bytes, as images have them. */
type Path = Buffer;

const CHUNK_BYTES = 256 * 1024;
const SLASH = Buffer.from('/');

/**
 * Whether two directories hold the same files with the same content, owners, modes, times and devices. Extended
 * attributes are not looked at. Follows no symbolic link.
 */
export async function isSameDirectory(one: Path, other: Path, signal: AbortSignal | undefined): Promise<boolean> {
  const pending: (readonly [Path, Path])[] = [[one, other]];
  for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
    signal?.throwIfAborted();
    const [left, right] = pair;
    if (!(await isSameNode(left, right))) return false;
    if (!(await lstat(left)).isDirectory()) continue;
    const [names, otherNames] = [await namesIn(left), await namesIn(right)];
    if (names.length !== otherNames.length || names.some((name, at) => otherNames[at]?.equals(name) !== true)) {
      return false;
    }
    for (const name of names) pending.push([join(left, name), join(right, name)]);
  }
  return true;
}

async function isSameNode(one: Path, other: Path): Promise<boolean> {
  const [a, b] = [await statOf(one), await statOf(other)];
  if (a === undefined || b === undefined) return false;
  const same = (field: 'mode' | 'uid' | 'gid' | 'rdev' | 'mtimeMs'): boolean => a[field] === b[field];
  if (!same('mode') || !same('uid') || !same('gid') || !same('rdev') || !same('mtimeMs')) return false;
  if (a.isSymbolicLink()) return (await readlink(one, 'buffer')).equals(await readlink(other, 'buffer'));
  if (!a.isFile()) return true;
  return a.size === b.size && a.nlink === b.nlink && (await isSameContent(one, other));
}

async function isSameContent(one: Path, other: Path): Promise<boolean> {
  await using left = await open(one, 'r');
  await using right = await open(other, 'r');
  const [a, b] = [Buffer.allocUnsafe(CHUNK_BYTES), Buffer.allocUnsafe(CHUNK_BYTES)];
  for (;;) {
    const { bytesRead } = await left.read(a, 0, CHUNK_BYTES);
    const other = await right.read(b, 0, CHUNK_BYTES);
    // Regular files of one size are read in equal pieces; a piece cut short by a signal would only rebuild the tree.
    if (bytesRead !== other.bytesRead || a.compare(b, 0, bytesRead, 0, bytesRead) !== 0) return false;
    if (bytesRead === 0) return true;
  }
}

async function statOf(path: Path): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

async function namesIn(path: Path): Promise<readonly Buffer[]> {
  return (await readdir(path, { encoding: 'buffer' })).toSorted(Buffer.compare);
}

function join(path: Path, name: Buffer): Path {
  return Buffer.concat([path, SLASH, name]);
}
