// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { type Digest, isDigest } from '@rkt/refparse';
import type { AbortOptions } from '@rkt/registry';
import type { ImageOrigin } from '../manifest/image-origin.ts';
import type { ArchiveFile } from './archive-file.ts';

/** A layer of an image to be exported: its uncompressed tar. */
export interface ExportedLayer {
  readonly diffId: string;
  /** Bytes. */
  readonly size: number;
  /** Gives the tar; is to throw, before the last of it, when that is not what the diffID says. */
  read(options: AbortOptions): AsyncIterable<Uint8Array>;
}

/** A converted image to be exported. */
export interface ExportedImage {
  /** The configuration it was converted from, byte for byte. */
  readonly configBytes: Uint8Array;
  /** Base first, as in the configuration. */
  readonly layers: readonly ExportedLayer[];
  /** Where it came from; an import then gives the same image ID. */
  readonly origin?: ImageOrigin | undefined;
}

/** Where a blob stands in an OCI layout. @throws TypeError for what is not a digest */
export function blobName(digest: string): string {
  if (!isDigest(digest)) throw new TypeError(`expected a digest, got ${digest.slice(0, 160)}`);
  return `blobs/${digest.replace(':', '/')}`;
}

/** Layers, each once however often the image has it. */
export function layerFiles(layers: readonly ExportedLayer[]): readonly ArchiveFile[] {
  const byName = new Map(layers.map((layer) => [blobName(layer.diffId), { size: layer.size, content: layer }]));
  return Array.from(byName, ([name, file]) => ({ name, ...file }));
}

export function documentFile(name: string, bytes: Uint8Array): ArchiveFile {
  return { name, size: bytes.length, content: bytes };
}

export function sha256Digest(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export function jsonBytes(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
