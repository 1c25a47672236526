// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from 'node:crypto';
import { parseReference, type Reference } from '@rkt/refparse';
import {
  type BlobReader,
  createRegistry,
  type Descriptor,
  type Image,
  imageSource,
  type Registry,
  type RegistryOptions,
} from '../src/index.ts';
import {
  startTestRegistry,
  type TestImage,
  type TestRegistry,
  type TestRegistryOptions,
} from '../src/testing/index.ts';

/** A registry on loopback and a client that retries at once. */
export interface Loopback extends AsyncDisposable {
  readonly server: TestRegistry;
  readonly client: Registry;
  /** A reference to this server. */
  reference(text: string): Reference;
  open(text: string): Promise<Image>;
}

export const FAST_RETRY = { attempts: 3, baseMs: 1, maxMs: 5 } as const;
export const AMD64 = { os: 'linux', architecture: 'amd64' } as const;

export async function startLoopback(server: TestRegistryOptions = {}, client: RegistryOptions = {}): Promise<Loopback> {
  const started = await startTestRegistry(server);
  const registry = createRegistry({ retry: FAST_RETRY, ...client });
  return {
    server: started,
    client: registry,
    reference: (text) => parseReference(`${started.domain}/${text}`),
    open: (text) => imageSource(registry).open(parseReference(`${started.domain}/${text}`), { platform: AMD64 }),
    [Symbol.asyncDispose]: async () => {
      await registry[Symbol.asyncDispose]();
      await started.close();
    },
  };
}

export function sha256(bytes: Uint8Array): `sha256:${string}` {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Random bytes as a layer; nothing here inflates it. */
export function testImage(...sizes: readonly number[]): TestImage & { readonly bytes: readonly Uint8Array[] } {
  const bytes = sizes.map((size) => new Uint8Array(randomBytes(size)));
  return { bytes, layers: bytes.map((content) => ({ content, diffId: sha256(content) })) };
}

export async function drain(reader: BlobReader): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of reader) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Puts bytes as a blob and says how to ask for them. */
export async function putBytes(server: TestRegistry, repository: string, bytes: Uint8Array): Promise<Descriptor> {
  const { digest, size } = await server.putBlob(repository, bytes);
  return { mediaType: 'application/octet-stream', digest, size };
}
