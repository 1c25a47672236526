// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, truncate } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isDigest } from '@rkt/refparse';
import type { Answer } from './answer.ts';
import { errorAnswer } from './auth.ts';
import { type Content, digestContent, digestManifest } from './content.ts';

interface Upload {
  readonly repository: string;
  readonly path: string;
  size: number;
}

/** A request of the push half of the protocol. */
export interface PushRequest {
  readonly repository: string;
  /** Upload id, tag or digest, by route. */
  readonly reference: string;
  readonly query: URLSearchParams;
  readonly message: IncomingMessage;
}

/** The push half: uploads are spooled to a directory of their own, which goes with the server. */
export interface PushRoutes {
  start(request: PushRequest): Promise<Answer>;
  append(request: PushRequest): Promise<Answer>;
  finish(request: PushRequest): Promise<Answer>;
  status(request: PushRequest): Answer;
  cancel(request: PushRequest): Promise<Answer>;
  putManifest(request: PushRequest): Promise<Answer>;
  close(): Promise<void>;
}

const MAX_MANIFEST = 4 << 20;

export function createPushRoutes(content: Content): PushRoutes {
  const uploads = new Map<string, Upload>();
  let spool: Promise<string> | undefined;
  const newUpload = async (repository: string): Promise<string> => {
    spool ??= mkdtemp(join(tmpdir(), 'rkt-test-registry-'));
    const id = randomUUID();
    uploads.set(id, { repository, path: join(await spool, id), size: 0 });
    return id;
  };
  const find = (request: PushRequest): Upload | undefined => {
    const upload = uploads.get(request.reference);
    return upload?.repository === request.repository ? upload : undefined;
  };
  return {
    start: async (request) => {
      const mounted = await mount(content, request);
      if (mounted !== undefined) return mounted;
      const id = await newUpload(request.repository);
      const upload = uploads.get(id);
      if (upload === undefined || !request.query.has('digest')) return accepted(request.repository, id, 0);
      return finishUpload(content, upload, request);
    },
    append: async (request) => {
      const upload = find(request);
      if (upload === undefined) return unknownUpload();
      const refused = await receive(upload, request.message);
      return refused ?? accepted(request.repository, request.reference, upload.size);
    },
    finish: async (request) => {
      const upload = find(request);
      if (upload === undefined) return unknownUpload();
      const answer = await finishUpload(content, upload, request);
      if (answer.status === 201) uploads.delete(request.reference);
      return answer;
    },
    status: (request) => {
      const upload = find(request);
      return upload === undefined
        ? unknownUpload()
        : { ...accepted(request.repository, request.reference, upload.size), status: 204 };
    },
    cancel: async (request) => {
      const upload = find(request);
      if (upload === undefined) return unknownUpload();
      uploads.delete(request.reference);
      await rm(upload.path, { force: true });
      return { status: 204 };
    },
    putManifest: (request) => putManifest(content, request),
    close: async () => {
      if (spool !== undefined) await rm(await spool, { recursive: true, force: true });
    },
  };
}

async function mount(content: Content, request: PushRequest): Promise<Answer | undefined> {
  const digest = request.query.get('mount');
  const from = request.query.get('from');
  if (digest === null || from === null || !isDigest(digest)) return undefined;
  const blob = content.blob(from, digest);
  if (blob === undefined) return undefined;
  await content.putBlob(request.repository, digest, blob.content);
  return created(`/v2/${request.repository}/blobs/${digest}`, digest);
}

/** Appends the body of a request; an answer when its range does not continue the upload. */
async function receive(upload: Upload, message: IncomingMessage): Promise<Answer | undefined> {
  const range = /^([0-9]{1,15})-([0-9]{1,15})$/.exec(message.headers['content-range'] ?? '');
  if (range !== null && Number(range[1]) !== upload.size) {
    message.resume();
    return { status: 416, headers: { range: `0-${Math.max(0, upload.size - 1)}` } };
  }
  const before = upload.size;
  const file = createWriteStream(upload.path, { flags: 'a' });
  try {
    await pipeline(message, file);
  } catch (error) {
    // What arrived of a broken chunk is dropped: the client will send the chunk again.
    await truncate(upload.path, before);
    throw error;
  }
  upload.size = before + file.bytesWritten;
  return undefined;
}

async function finishUpload(content: Content, upload: Upload, request: PushRequest): Promise<Answer> {
  const digest = request.query.get('digest');
  if (!isDigest(digest)) return errorAnswer(400, 'DIGEST_INVALID', 'no valid digest given');
  const refused = await receive(upload, request.message);
  if (refused !== undefined) return refused;
  const blob = { path: upload.path };
  const actual = await digestContent(blob, digest.slice(0, digest.indexOf(':')));
  if (actual !== digest)
    return errorAnswer(400, 'DIGEST_INVALID', `provided digest did not match uploaded content: ${actual}`);
  await content.putBlob(request.repository, digest, blob);
  return created(`/v2/${request.repository}/blobs/${digest}`, digest);
}

async function putManifest(content: Content, request: PushRequest): Promise<Answer> {
  const { repository, reference, message } = request;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_MANIFEST) return errorAnswer(413, 'SIZE_INVALID', 'manifest too large');
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  const byDigest = reference.includes(':');
  const algorithm = byDigest ? reference.slice(0, reference.indexOf(':')) : 'sha256';
  if (byDigest && (!isDigest(reference) || digestManifest(bytes, algorithm) !== reference)) {
    return errorAnswer(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content');
  }
  const missing = missingParts(content, repository, bytes);
  if (missing !== undefined) return errorAnswer(400, 'MANIFEST_BLOB_UNKNOWN', `unknown to registry: ${missing}`);
  const mediaType = message.headers['content-type'] ?? 'application/octet-stream';
  const digest = content.putManifest(repository, { mediaType, bytes }, byDigest ? undefined : reference);
  return created(`/v2/${repository}/manifests/${reference}`, digest);
}

interface Parts {
  readonly config?: { readonly digest?: string };
  readonly layers?: readonly { readonly digest?: string; readonly urls?: unknown }[];
  readonly manifests?: readonly { readonly digest?: string }[];
  /** Of schema 1. */
  readonly fsLayers?: readonly { readonly blobSum?: string }[];
}

/** The first thing a manifest names that the repository does not have. */
function missingParts(content: Content, repository: string, bytes: Uint8Array): string | undefined {
  let parts: Parts;
  try {
    parts = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return 'the manifest is no JSON document';
  }
  const blobs = [
    parts.config,
    ...(parts.layers ?? []).filter((layer) => layer.urls === undefined),
    ...(parts.fsLayers ?? []).map(({ blobSum }) => ({ digest: blobSum })),
  ];
  const missingBlob = blobs.find(
    (part) => part?.digest !== undefined && content.blob(repository, part.digest) === undefined,
  );
  const missing =
    missingBlob ?? parts.manifests?.find((part) => content.manifest(repository, part.digest ?? '') === undefined);
  return missing === undefined ? undefined : (missing.digest ?? 'an entry without a digest');
}

function accepted(repository: string, id: string, size: number): Answer {
  return {
    status: 202,
    headers: {
      location: `/v2/${repository}/blobs/uploads/${id}`,
      'docker-upload-uuid': id,
      range: `0-${Math.max(0, size - 1)}`,
    },
  };
}

function created(location: string, digest: string): Answer {
  return { status: 201, headers: { location, 'docker-content-digest': digest } };
}

function unknownUpload(): Answer {
  return errorAnswer(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry');
}
