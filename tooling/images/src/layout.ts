// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';

export type LayerCompression = 'gzip' | 'zstd' | 'none';

/** A layer on its way into a layout. */
export interface LayerSource {
  readonly tar: Buffer;
  readonly comment: string;
  /** @default 'gzip' */
  readonly compression?: LayerCompression;
}

/** The `config` object of an OCI image configuration, as it stands in JSON. */
export type ContainerSection = Readonly<Record<string, unknown>>;

export interface ImageRecipe {
  readonly layers: readonly LayerSource[];
  readonly config: ContainerSection;
  /** @default this machine's */
  readonly architecture?: string;
}

const mediaTypes = {
  gzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  zstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  none: 'application/vnd.oci.image.layer.v1.tar',
} as const;

/** The architecture in Go's words, as image configurations name it. */
export function hostArchitecture(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch;
}

/** Writes an OCI image layout directory holding one image under the tag `latest`. Blobs that are there stay. */
export function writeLayout(dir: string, recipe: ImageRecipe): void {
  mkdirSync(join(dir, 'blobs', 'sha256'), { recursive: true });
  const layers = recipe.layers.map((layer) => {
    const compression = layer.compression ?? 'gzip';
    return { mediaType: mediaTypes[compression], ...writeBlob(dir, compress(layer.tar, compression)) };
  });
  const config = writeBlob(dir, Buffer.from(JSON.stringify(imageConfig(recipe))));
  const manifest = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers,
  };
  const descriptor = {
    mediaType: manifest.mediaType,
    ...writeBlob(dir, Buffer.from(JSON.stringify(manifest))),
    platform: { architecture: recipe.architecture ?? hostArchitecture(), os: 'linux' },
    annotations: { 'org.opencontainers.image.ref.name': 'latest' },
  };
  writeFileSync(join(dir, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(join(dir, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [descriptor] }));
}

function imageConfig(recipe: ImageRecipe): object {
  return {
    created: '2024-01-01T00:00:00Z',
    architecture: recipe.architecture ?? hostArchitecture(),
    os: 'linux',
    config: recipe.config,
    rootfs: { type: 'layers', diff_ids: recipe.layers.map((layer) => `sha256:${sha256(layer.tar)}`) },
    history: recipe.layers.map((layer) => ({ created: '2024-01-01T00:00:00Z', created_by: layer.comment })),
  };
}

function compress(tar: Buffer, compression: LayerCompression): Buffer {
  if (compression === 'gzip') return gzipSync(tar, { level: 6 });
  if (compression === 'zstd') return zstdCompressSync(tar);
  return tar;
}

function writeBlob(dir: string, bytes: Buffer): { digest: string; size: number } {
  const hex = sha256(bytes);
  const path = join(dir, 'blobs', 'sha256', hex);
  if (!existsSync(path)) {
    writeFileSync(`${path}.tmp`, bytes);
    renameSync(`${path}.tmp`, path);
  }
  return { digest: `sha256:${hex}`, size: bytes.length };
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
