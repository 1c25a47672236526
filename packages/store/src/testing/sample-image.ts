// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import {
  aciSegments,
  createLayerIndexer,
  decodeLayerIndex,
  encodeLayerIndex,
  type ImageId,
  type ImageManifest,
  type LayerRepository,
  mergeLayers,
} from '@rkt/appc';
import type { ImageRecord, PutImageOptions, ReceivedAci, Store } from '../store.ts';

/** A layer with everything the store wants of it. */
export interface SampleLayer {
  readonly diffId: string;
  readonly tar: Uint8Array;
  /** Encoded {@link LayerIndex}. */
  readonly index: Uint8Array;
}

export interface SampleImage {
  readonly layers: readonly SampleLayer[];
  /** What `putImage` takes; the ID is the right one. */
  readonly put: PutImageOptions;
}

/** A layer tar of regular files by path, owned by root, with a fixed time. */
export function sampleLayer(files: Readonly<Record<string, string>>): SampleLayer {
  const blocks = Object.entries(files).flatMap(([path, content]) => fileBlocks(path, Buffer.from(content)));
  return tarLayer(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

/** A layer of any tar. */
export function tarLayer(tar: Uint8Array): SampleLayer {
  const indexer = createLayerIndexer();
  indexer.push(tar);
  return {
    diffId: `sha256:${createHash('sha256').update(tar).digest('hex')}`,
    tar,
    index: encodeLayerIndex(indexer.finish()),
  };
}

/** An image of layers, base first, with a manifest of its own and the ID that follows. */
export function sampleImage(name: string, layers: readonly SampleLayer[], arch: string = 'amd64'): SampleImage {
  const base = name.replace(/:[^:/]*$/, '');
  const labels = [
    { name: 'arch', value: arch },
    { name: 'os', value: 'linux' },
  ];
  const manifest = { acKind: 'ImageManifest', acVersion: '0.8.11', name: base, labels };
  const manifestBytes = Buffer.from(JSON.stringify(manifest));
  const tree = mergeLayers(layers.map(({ diffId, index }) => ({ diffId, index: decodeLayerIndex(index) })));
  const hash = createHash('sha512');
  let size = 0;
  for (const segment of aciSegments(tree, manifestBytes)) {
    const bytes = segment.kind === 'bytes' ? segment.bytes : rangeOf(layers[segment.layer], segment);
    hash.update(bytes);
    size += bytes.length;
  }
  const id: ImageId = `sha512-${hash.digest('hex')}`;
  return { layers, put: { id, name, manifestBytes, layers: layers.map(({ diffId }) => diffId), size } };
}

/** An ACI as somebody else made it: its tar and what is known of it once it has been read. */
export interface SampleAci {
  readonly tar: Uint8Array;
  readonly received: ReceivedAci;
}

/** An ACI of a manifest, completed with what all have, and files below `rootfs`. */
export function sampleAci(manifest: Partial<ImageManifest>, files: Readonly<Record<string, string>>): SampleAci {
  const manifestBytes = Buffer.from(JSON.stringify({ acKind: 'ImageManifest', acVersion: '0.8.11', ...manifest }));
  const members = Object.entries(files).map(([path, content]) => [`rootfs/${path}`, content]);
  // The manifest last: conversion never has it there.
  const { diffId, tar, index } = sampleLayer(Object.fromEntries([...members, ['manifest', `${manifestBytes}`]]));
  const id: ImageId = `sha512-${createHash('sha512').update(tar).digest('hex')}`;
  return { tar, received: { id, diffId, size: tar.length, index, manifestBytes } };
}

/** Writes an ACI as reading one does. */
export async function putAci(store: Store, { tar, received }: SampleAci): Promise<ImageRecord> {
  await using ingest = await store.ingestAci();
  await writeFile(ingest.path, tar);
  return await ingest.commit(received);
}

/** Writes a layer as conversion does, unless the store has it. */
export async function ingestLayer(repository: LayerRepository, layer: SampleLayer): Promise<'present' | 'ingested'> {
  const leave = await repository.prepareLayer(layer.diffId);
  if (leave.state === 'present') return 'present';
  await using ingest = leave;
  await writeFile(ingest.path, layer.tar);
  await ingest.commit({ size: layer.tar.length, index: layer.index });
  return 'ingested';
}

interface Range {
  readonly tarOffset: number;
  readonly length: number;
}

function rangeOf(layer: SampleLayer | undefined, { tarOffset, length }: Range): Uint8Array {
  if (layer === undefined) throw new RangeError('a segment names a layer the image does not have');
  return layer.tar.subarray(tarOffset, tarOffset + length);
}

/** POSIX ustar, one header block and the content padded to whole blocks. */
function fileBlocks(path: string, content: Uint8Array): readonly Uint8Array[] {
  const header = Buffer.alloc(512);
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;
  header.write(path, 0, 100, 'latin1');
  header.write(octal(0o644, 8), 100, 'latin1');
  header.write(octal(0, 8), 108, 'latin1');
  header.write(octal(0, 8), 116, 'latin1');
  header.write(octal(content.length, 12), 124, 'latin1');
  header.write(octal(1_700_000_000, 12), 136, 'latin1');
  header.write('        ', 148, 'latin1');
  header.write('0', 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
}
