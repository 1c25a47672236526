// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { type Digest, parseDigest } from '@rkt/refparse';
import { isRegistryError } from '../errors.ts';
import { signedPayload } from '../image/signed-payload.ts';

/** A blob: bytes in memory, or a file that is served from where it lies. */
export type BlobContent = Uint8Array | { readonly path: string };

/** A stored blob and its size in bytes. */
export interface StoredBlob {
  readonly content: BlobContent;
  readonly size: number;
}

export interface StoredManifest {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

interface RepositoryContent {
  readonly blobs: Map<Digest, StoredBlob>;
  readonly manifests: Map<Digest, StoredManifest>;
  readonly tags: Map<string, Digest>;
}

const READ_CHUNK = 1 << 20;

/** Everything a test registry serves, by repository. */
export interface Content {
  blob(repository: string, digest: string): StoredBlob | undefined;
  putBlob(repository: string, digest: Digest, content: BlobContent): Promise<StoredBlob>;
  deleteBlob(repository: string, digest: string): boolean;
  /** By tag or digest. */
  manifest(repository: string, reference: string): (StoredManifest & { readonly digest: Digest }) | undefined;
  putManifest(repository: string, manifest: StoredManifest, tag?: string): Digest;
  deleteManifest(repository: string, reference: string): boolean;
  manifests(repository: string): readonly (StoredManifest & { readonly digest: Digest })[];
  /** Sorted; undefined for an unknown repository. */
  tags(repository: string): readonly string[] | undefined;
  repositories(): readonly string[];
}

export function createContent(): Content {
  const repositories = new Map<string, RepositoryContent>();
  const open = (name: string): RepositoryContent => {
    const known = repositories.get(name);
    if (known !== undefined) return known;
    const created: RepositoryContent = { blobs: new Map(), manifests: new Map(), tags: new Map() };
    repositories.set(name, created);
    return created;
  };
  return {
    blob: (name, digest) => repositories.get(name)?.blobs.get(digest as Digest),
    putBlob: async (name, digest, content) => {
      const size = content instanceof Uint8Array ? content.length : (await stat(content.path)).size;
      const stored = { content, size };
      open(name).blobs.set(digest, stored);
      return stored;
    },
    deleteBlob: (name, digest) => repositories.get(name)?.blobs.delete(digest as Digest) ?? false,
    manifest: (name, reference) => findManifest(repositories.get(name), reference),
    putManifest: (name, manifest, tag) => {
      const digest = digestManifest(manifest.bytes);
      open(name).manifests.set(digest, manifest);
      if (tag !== undefined) open(name).tags.set(tag, digest);
      return digest;
    },
    deleteManifest: (name, reference) => deleteManifest(repositories.get(name), reference),
    manifests: (name) =>
      [...(repositories.get(name)?.manifests ?? [])].map(([digest, manifest]) => ({ ...manifest, digest })),
    tags: (name) => {
      const repository = repositories.get(name);
      return repository === undefined ? undefined : [...repository.tags.keys()].sort();
    },
    repositories: () => [...repositories.keys()].sort(),
  };
}

function findManifest(
  repository: RepositoryContent | undefined,
  reference: string,
): (StoredManifest & { readonly digest: Digest }) | undefined {
  const digest = reference.includes(':') ? (reference as Digest) : repository?.tags.get(reference);
  if (digest === undefined) return undefined;
  const found = repository?.manifests.get(digest) ?? bySha512(repository, digest);
  return found === undefined ? undefined : { ...found, digest };
}

/** Manifests are kept by SHA-256; one asked for by another algorithm is found by hashing. */
function bySha512(repository: RepositoryContent | undefined, digest: Digest): StoredManifest | undefined {
  if (repository === undefined || digest.startsWith('sha256:')) return undefined;
  const algorithm = digest.slice(0, digest.indexOf(':'));
  return [...repository.manifests.values()].find((manifest) => digestManifest(manifest.bytes, algorithm) === digest);
}

function deleteManifest(repository: RepositoryContent | undefined, reference: string): boolean {
  if (repository === undefined) return false;
  if (!reference.includes(':')) return repository.tags.delete(reference);
  for (const [tag, digest] of repository.tags) if (digest === reference) repository.tags.delete(tag);
  return repository.manifests.delete(reference as Digest);
}

/** The digest of bytes. */
export function digestBytes(bytes: Uint8Array, algorithm: string = 'sha256'): Digest {
  return parseDigest(`${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`);
}

/** The digest of a manifest: of its payload if it is one of schema 1 with sound signatures, of all of it otherwise. */
export function digestManifest(bytes: Uint8Array, algorithm: string = 'sha256'): Digest {
  let payload = bytes;
  try {
    payload = signedPayload(bytes, 'a manifest');
  } catch (error) {
    if (!isRegistryError(error)) throw error;
  }
  return digestBytes(payload, algorithm);
}

/** The digest of a blob, read once. */
export async function digestContent(content: BlobContent, algorithm: string = 'sha256'): Promise<Digest> {
  if (content instanceof Uint8Array) return digestBytes(content, algorithm);
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(content.path, { highWaterMark: READ_CHUNK })) hash.update(chunk);
  return parseDigest(`${algorithm}:${hash.digest('hex')}`);
}

/** The bytes `start` to `end` (exclusive) of a blob. */
export function readContent(blob: StoredBlob, start: number, end: number): Readable {
  const { content } = blob;
  if (start >= end) return Readable.from([]);
  if (content instanceof Uint8Array) return Readable.from([content.subarray(start, end)], { objectMode: false });
  return createReadStream(content.path, { start, end: end - 1, highWaterMark: READ_CHUNK });
}
