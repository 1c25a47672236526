// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { parseReference } from '@rkt/refparse';
import type { BlobReader, ContainerConfig, Image, Layer } from '@rkt/registry';
import { type Pack, pack } from 'tar-stream';

export type Digest = `sha256:${string}`;

export function sha256(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** A tar of files by path; a path that ends in a slash is a directory. */
export async function tarOf(files: Readonly<Record<string, string | Uint8Array>>): Promise<Buffer> {
  const archive = pack();
  for (const [name, content] of Object.entries(files)) {
    const type = name.endsWith('/') ? 'directory' : 'file';
    archive.entry({ name, type, mtime: new Date(1000), mode: type === 'file' ? 0o644 : 0o755 }, Buffer.from(content));
  }
  return finished(archive);
}

/** The same, with symbolic links behind the files. */
export async function tarOfLinks(
  files: Readonly<Record<string, string | Uint8Array>>,
  links: Readonly<Record<string, string>>,
): Promise<Buffer> {
  const archive = pack();
  for (const [name, content] of Object.entries(files)) archive.entry({ name }, Buffer.from(content));
  for (const [name, linkname] of Object.entries(links)) archive.entry({ name, type: 'symlink', linkname });
  return finished(archive);
}

/** A path and what is there. */
export type SampleEntry = readonly [
  path: string,
  content: Uint8Array | 'directory' | 'fifo' | { readonly link: string },
];

/** A tar of entries in this order, also of such as name one path several times. */
export async function tarOfEntries(entries: readonly SampleEntry[]): Promise<Buffer> {
  const archive = pack();
  for (const [name, content] of entries) {
    if (content instanceof Uint8Array) archive.entry({ name }, Buffer.from(content));
    else if (typeof content === 'string') archive.entry({ name, type: content });
    else archive.entry({ name, type: 'link', linkname: content.link });
  }
  return finished(archive);
}

/** A tar of one hard link. */
export async function tarOfLink(name: string, linkname: string): Promise<Buffer> {
  const archive = pack();
  archive.entry({ name, type: 'link', linkname });
  return finished(archive);
}

async function finished(archive: Pack): Promise<Buffer> {
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) {
    if (chunk instanceof Uint8Array) chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export interface SampleLayer {
  readonly tar: Uint8Array;
  readonly blob?: Uint8Array;
  readonly mediaType?: string;
  readonly diffId?: Digest;
  /** Called for every opening, e.g. to count or to hold it up. */
  readonly onOpen?: () => Promise<void> | void;
}

export function sampleImage(layers: readonly SampleLayer[], config: ContainerConfig = { cmd: ['sh'] }): Image {
  const made = layers.map(toLayer);
  const configBytes = Buffer.from(JSON.stringify({ made: made.map(({ diffId }) => diffId) }));
  const manifestBytes = Buffer.from(JSON.stringify({ layers: made.map(({ descriptor }) => descriptor.digest) }));
  return {
    reference: parseReference('docker.io/library/sample:1'),
    descriptor: { mediaType: 'm', digest: sha256(manifestBytes), size: manifestBytes.length },
    manifestBytes,
    configDescriptor: { mediaType: 'c', digest: sha256(configBytes), size: configBytes.length },
    configBytes,
    config: { platform: { os: 'linux', architecture: 'amd64' }, diffIds: made.map(({ diffId }) => diffId), config },
    layers: made,
  };
}

function toLayer({
  tar,
  blob = gzipSync(tar, { level: 1 }),
  diffId = sha256(tar),
  mediaType,
  onOpen,
}: SampleLayer): Layer {
  const descriptor = {
    mediaType: mediaType ?? 'application/vnd.oci.image.layer.v1.tar+gzip',
    digest: sha256(blob),
    size: blob.length,
  };
  const open: Layer['open'] = async ({ signal, onBytes } = {}) => {
    await onOpen?.();
    signal?.throwIfAborted();
    return reader(descriptor, blob, onBytes);
  };
  return { descriptor, diffId, open };
}

function reader(descriptor: Layer['descriptor'], blob: Uint8Array, onBytes?: (n: number) => void): BlobReader {
  return {
    descriptor,
    async *[Symbol.asyncIterator]() {
      for (let at = 0; at < blob.length; at += 10_000) {
        yield blob.subarray(at, at + 10_000);
        if (at % 1_000_000 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      onBytes?.(blob.length);
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}
