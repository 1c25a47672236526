// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, isDigest } from '@rkt/refparse';
import type { Content } from './content.ts';

/** How an image of a layout is to be served. */
export interface AddLayoutOptions {
  readonly repository: string;
  readonly tag: string;
  /**
   * The `org.opencontainers.image.ref.name` of the entry to serve.
   * @default the only entry; with several, the layout's index itself
   */
  readonly ref?: string;
}

interface LayoutDescriptor {
  readonly mediaType?: string;
  readonly digest: Digest;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface LayoutDocument {
  readonly manifests?: readonly LayoutDescriptor[];
  readonly config?: LayoutDescriptor;
  readonly layers?: readonly LayoutDescriptor[];
}

const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const REF_NAME = 'org.opencontainers.image.ref.name';

/** Registers an OCI image layout; its blobs are served from the files they are in. */
export async function addLayout(content: Content, directory: string, options: AddLayoutOptions): Promise<Digest> {
  const bytes = await readFile(join(directory, 'index.json'));
  const entries = (JSON.parse(bytes.toString('utf8')) as LayoutDocument).manifests ?? [];
  const matching =
    options.ref === undefined ? entries : entries.filter((entry) => entry.annotations?.[REF_NAME] === options.ref);
  const [only] = matching;
  if (only === undefined) throw new Error(`layout ${directory} has no entry ${options.ref ?? ''}`);
  const root: Root = { content, directory, repository: options.repository };
  if (matching.length === 1) return addManifest(root, only, options.tag);
  for (const entry of entries) await addManifest(root, entry, undefined);
  return content.putManifest(options.repository, { mediaType: OCI_INDEX, bytes }, options.tag);
}

interface Root {
  readonly content: Content;
  readonly directory: string;
  readonly repository: string;
}

async function addManifest(root: Root, entry: LayoutDescriptor, tag: string | undefined): Promise<Digest> {
  const bytes = await readFile(blobPath(root, entry.digest));
  const document = JSON.parse(bytes.toString('utf8')) as LayoutDocument;
  for (const child of document.manifests ?? []) await addIfPresent(root, child);
  const blobs = [...(document.config === undefined ? [] : [document.config]), ...(document.layers ?? [])];
  for (const blob of blobs) {
    await root.content.putBlob(root.repository, blob.digest, { path: blobPath(root, blob.digest) });
  }
  const mediaType = entry.mediaType ?? (document.manifests === undefined ? OCI_MANIFEST : OCI_INDEX);
  return root.content.putManifest(root.repository, { mediaType, bytes }, tag);
}

/** Layouts may hold one platform of an index. */
async function addIfPresent(root: Root, entry: LayoutDescriptor): Promise<void> {
  try {
    await addManifest(root, entry, undefined);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}

function blobPath(root: Root, digest: Digest): string {
  if (!isDigest(digest)) throw new Error(`layout ${root.directory} has an invalid digest`);
  const [algorithm = '', hex = ''] = digest.split(':');
  return join(root.directory, 'blobs', algorithm, hex);
}
