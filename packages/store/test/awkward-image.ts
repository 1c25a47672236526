// SPDX-License-Identifier: Apache-2.0
import { decodeLayerIndex, encodeLayerIndex, type LayerEntry } from '@rkt/appc';
import { type SampleImage, sampleImage, sampleLayer } from '@rkt/store/testing';

/** Directories so deep that no path below a store leads to the innermost, although the path in the image is possible. */
export function deepImage(): SampleImage {
  const path = [...Array.from({ length: 16 }, () => 'd'.repeat(250)), 'file'].join('/');
  return imageOf([(entry) => ({ ...entry, path })]);
}

/** Directories and files that bar their owner, and a hard link out of one of them. */
export function closedImage(): SampleImage {
  const directory = (path: string, mode: number) => (entry: LayerEntry) =>
    ({ ...withoutKind(entry), kind: 'directory', path, mode }) as const;
  return imageOf([
    directory('', 0o555),
    directory('a', 0),
    (entry) => ({ ...entry, path: 'a/file', mode: 0o444, xattrs: new Map([['user.note', 'kept']]) }),
    (entry) => ({ ...withoutKind(entry), kind: 'hardlink', path: 'link', target: 'a/file' }),
  ]);
}

/** One file for every change, which makes its entry what it shall be. */
function imageOf(changes: readonly ((entry: LayerEntry) => LayerEntry)[]): SampleImage {
  const layer = sampleLayer(Object.fromEntries(changes.map((_, at) => [`file${at}`, 'text'])));
  const index = decodeLayerIndex(layer.index);
  const entries = index.entries.map((entry, at) => changes[at]?.(entry) ?? entry);
  return sampleImage('example.com/awkward:1', [{ ...layer, index: encodeLayerIndex({ ...index, entries }) }]);
}

function withoutKind({ headerOffset, uid, gid, mode, mtime, mtimeNanoseconds, path }: LayerEntry) {
  return { headerOffset, uid, gid, mode, mtime, mtimeNanoseconds, path };
}
