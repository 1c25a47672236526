// SPDX-License-Identifier: Apache-2.0
import { createCipheriv, createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { aciSegments, type EntryAttributes, type LayerEntry, mergeLayers } from '@rkt/appc';
import type { TestImage, TestLayer } from '@rkt/registry/testing';

/** Large enough for an image of one such layer to be converted with a thread. */
const LARGE_FILE_BYTES = 9 * 1024 * 1024;
const ATTRIBUTES: EntryAttributes = { mode: 0o755, uid: 0, gid: 0, mtime: 1_500_000_000, mtimeNanoseconds: 0 };

/** Two images with what images have: large and small layers, files, directories and links. The same every time. */
export interface SampleImages {
  readonly large: TestImage;
  /** Made from the other one. */
  readonly derived: TestImage;
}

/**
 * Whoever fetches one image after the other fetches one layer at a time. Of two at once, either may be first, and the program be
 * compiled in another order.
 */
export function sampleImages(): SampleImages {
  const config = {
    ...{ Env: ['PATH=/usr/bin'], Cmd: ['/usr/bin/true'] },
    ...{ ExposedPorts: { '80/tcp': {} }, Volumes: { '/data': {} } },
  };
  const base = layer('base', LARGE_FILE_BYTES);
  // The platform is the one of the Node that fetches it.
  const image = { config, architecture: process.arch === 'x64' ? 'amd64' : process.arch };
  return { large: { ...image, layers: [base] }, derived: { ...image, layers: [base, layer('settings', 100)] } };
}

function layer(name: string, largest: number): TestLayer {
  const tar = Buffer.concat([...tarOf(name, largest)]);
  const diffId = `sha256:${createHash('sha256').update(tar).digest('hex')}`;
  return { content: gzipSync(tar, { level: 1 }), diffId };
}

/** The files of an ACI are a tar like another; its content is taken from one stream of bytes that nothing makes smaller. */
function* tarOf(name: string, largest: number): Generator<Uint8Array> {
  const key = createHash('sha256').update(name).digest();
  const content = createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(largest));
  const entries = [...entriesOf(name, largest)];
  const tree = mergeLayers([{ diffId: `sha256:${'0'.repeat(64)}`, index: { size: 2 ** 40, entries } }]);
  for (const segment of aciSegments(tree, Buffer.from(`{"name":"${name}"}`))) {
    yield segment.kind === 'bytes' ? segment.bytes : content.subarray(0, segment.length);
  }
}

function* entriesOf(name: string, largest: number): Generator<LayerEntry> {
  const directory = `usr/${name}`;
  let headerOffset = 0;
  const base = (path: string) => {
    headerOffset += 512;
    return { path, headerOffset, ...ATTRIBUTES };
  };
  const file = (path: string, size: number): LayerEntry => ({
    ...base(path),
    kind: 'file',
    size,
    extents: size === 0 ? [] : [{ fileOffset: 0, tarOffset: headerOffset, length: size }],
  });
  yield { ...base(directory), kind: 'directory' };
  for (let number = 0; number < 200; number += 1) yield file(`${directory}/file-${number}`, number % 100);
  yield file(`${directory}/large`, largest);
  yield { ...base(`${directory}/link`), kind: 'symlink', target: 'large' };
  yield { ...base(`${directory}/name`), kind: 'hardlink', target: `${directory}/large` };
}
