// SPDX-License-Identifier: Apache-2.0
import { type SampleImage, sampleImage, tarLayer } from '@rkt/store/testing';
import { type RawEntry, rawTar } from './raw-tar.ts';

/** Directories so deep that no path below a store leads to the innermost, although the path in the image is possible. */
export function deepImage(): SampleImage {
  return imageOf([{ path: [...Array.from({ length: 16 }, () => 'd'.repeat(250)), 'file'].join('/'), content: 'text' }]);
}

/** Directories and files that bar their owner, and a hard link out of one of them. */
export function closedImage(): SampleImage {
  return imageOf([
    { path: './', type: 'directory', mode: 0o555 },
    { path: 'a', type: 'directory', mode: 0 },
    { path: 'a/file', mode: 0o444, content: 'text', xattrs: { 'user.note': 'kept' } },
    { path: 'link', type: 'hardlink', target: 'a/file' },
  ]);
}

/** A sparse file whose content does not begin at a block, which EROFS cannot point at. */
export function unalignedImage(): SampleImage {
  const pieces = [
    [0, 4],
    [512, 4],
  ] as const;
  return imageOf([{ path: 'etc/text', content: 'headtail', sparse: { size: 516, pieces } }]);
}

function imageOf(entries: readonly RawEntry[]): SampleImage {
  return sampleImage('example.com/awkward:1', [tarLayer(rawTar(entries))]);
}
