// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { SCHEMA1_MANIFEST, SCHEMA1_SIGNED } from '../image/media-types.ts';
import type { BlobContent, Content } from './content.ts';
import { type PlacedBlob, putBlob } from './image-builder.ts';
import { signManifest } from './sign-manifest.ts';

/** An image as Docker pushed it before 2017. */
export interface TestSchema1Image {
  /** Base first. */
  readonly steps: readonly TestSchema1Step[];
  /** The `config` object of the last step, with Docker's names: `Env`, `Cmd`. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** @default 'amd64' */
  readonly architecture?: string;
  /** Signed inside the document, by a key of nobody. @default true */
  readonly signed?: boolean;
}

/** What a step of the build left. */
export interface TestSchema1Step {
  /** A gzipped layer; without it the step changed no file, and its blob is the empty one. */
  readonly content?: BlobContent;
  /** What it ran. */
  readonly command?: string;
}

/** Digest and size of a schema 1 image that was put into a registry; both without signatures. */
export interface BuiltSchema1Image {
  readonly manifest: PlacedBlob;
  readonly mediaType: string;
  /** Of each step, base first. */
  readonly blobs: readonly PlacedBlob[];
}

/** The tar without entries, gzipped as Docker does it: `sha256:a3ed95ca...` in every schema 1 image. */
const EMPTY_LAYER = Buffer.from('1f8b080000096e8800ff621805a360148c5800080000ffff2eafb5ef00040000', 'hex');

/** Puts blobs and manifest of a schema 1 image into a repository. */
export async function putSchema1Image(
  content: Content,
  name: { readonly repository: string; readonly tag?: string },
  image: TestSchema1Image,
): Promise<BuiltSchema1Image> {
  const { steps, signed = true } = image;
  const blobs = await Promise.all(steps.map((step) => putBlob(content, name.repository, step.content ?? EMPTY_LAYER)));
  const payload = Buffer.from(JSON.stringify(toDocument(name, image, blobs), undefined, 3));
  const mediaType = signed ? SCHEMA1_SIGNED : SCHEMA1_MANIFEST;
  const bytes = signed ? signManifest(payload) : payload;
  const digest = content.putManifest(name.repository, { mediaType, bytes }, name.tag);
  return { manifest: { digest, size: payload.length }, mediaType, blobs };
}

/** As Docker's registry wrote it: top first, an ID for each step that depends on those below it. */
function toDocument(
  name: { readonly repository: string; readonly tag?: string },
  image: TestSchema1Image,
  blobs: readonly PlacedBlob[],
): unknown {
  const { steps, config = {}, architecture = 'amd64' } = image;
  const history: string[] = [];
  let parent: string | undefined;
  for (const [index, { content, command }] of steps.entries()) {
    const id = createHash('sha256').update(`${parent} ${index} ${blobs[index]?.digest}`).digest('hex');
    const about = {
      id,
      parent,
      created: new Date(index * 1000).toISOString(),
      container_config: { Cmd: command === undefined ? null : ['/bin/sh', '-c', command] },
      ...(content === undefined ? { throwaway: true } : {}),
    };
    const top = { ...about, architecture, os: 'linux', config, docker_version: '1.9.1' };
    history.unshift(JSON.stringify(index === steps.length - 1 ? top : about));
    parent = id;
  }
  return {
    schemaVersion: 1,
    name: name.repository,
    tag: name.tag ?? 'latest',
    architecture,
    fsLayers: blobs.map(({ digest }) => ({ blobSum: digest })).reverse(),
    history: history.map((v1Compatibility) => ({ v1Compatibility })),
  };
}
