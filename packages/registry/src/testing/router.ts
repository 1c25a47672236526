// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';
import type { Answer } from './answer.ts';
import { errorAnswer, type Gate } from './auth.ts';
import type { Content } from './content.ts';
import { type ContentRequest, serveBlob, serveManifest, serveReferrers, serveTags } from './pulls.ts';
import type { PushRequest, PushRoutes } from './pushes.ts';

export interface RouterParts {
  readonly content: Content;
  readonly pushes: PushRoutes;
  readonly gate: Gate;
  /** Whether the referrers endpoint exists: older registries lack it. */
  readonly referrers: boolean;
}

/** Turns a request into an answer. */
export interface Router {
  route(request: IncomingMessage): Promise<Answer>;
}

interface Target {
  readonly repository: string;
  readonly resource: 'manifests' | 'blobs' | 'uploads' | 'tags' | 'referrers';
  readonly reference: string;
}

const MAX_TOKEN_FORM = 65_536;

export function createRouter(parts: RouterParts): Router {
  return {
    route: async (request) => {
      const url = new URL(request.url ?? '/', 'http://registry.invalid');
      if (url.pathname === '/token') return parts.gate.token(request, url.searchParams, await readForm(request));
      const target = parseTarget(url.pathname);
      const refusal = parts.gate.check(request, target?.repository ?? '');
      if (refusal !== undefined) return refusal;
      if (url.pathname === '/v2/' || url.pathname === '/v2') return json({});
      if (url.pathname === '/v2/_catalog') return json({ repositories: parts.content.repositories() });
      if (target === undefined) return errorAnswer(404, 'UNSUPPORTED', 'no such endpoint');
      return isRead(request) ? pull(parts, request, target, url) : push(parts, request, target, url);
    },
  };
}

function isRead(request: IncomingMessage): boolean {
  return request.method === 'GET' || request.method === 'HEAD';
}

function json(document: unknown): Answer {
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(document) };
}

/** `/v2/<repository>/<resource>/<reference>`; the repository is everything before the last resource name. */
function parseTarget(pathname: string): Target | undefined {
  const match = /^\/v2\/(.+)\/(manifests|blobs\/uploads|blobs|tags|referrers)\/([^/]*)$/.exec(
    decodeURIComponent(pathname),
  );
  if (match === null) return undefined;
  const [, repository = '', resource = '', reference = ''] = match;
  switch (resource) {
    case 'blobs/uploads':
      return { repository, resource: 'uploads', reference };
    case 'manifests':
    case 'blobs':
    case 'tags':
    case 'referrers':
      return { repository, resource, reference };
    default:
      return undefined;
  }
}

function pull(parts: RouterParts, request: IncomingMessage, target: Target, url: URL): Answer {
  const asked: ContentRequest = { ...target, query: url.searchParams, range: request.headers.range };
  switch (target.resource) {
    case 'manifests':
      return serveManifest(parts.content, asked);
    case 'blobs':
      return serveBlob(parts.content, asked);
    case 'tags':
      return serveTags(parts.content, asked);
    case 'uploads':
      return parts.pushes.status({ ...target, query: url.searchParams, message: request });
    case 'referrers':
      return parts.referrers
        ? serveReferrers(parts.content, asked)
        : errorAnswer(404, 'UNSUPPORTED', 'the referrers API is not supported');
  }
}

async function push(parts: RouterParts, message: IncomingMessage, target: Target, url: URL): Promise<Answer> {
  const request: PushRequest = { ...target, query: url.searchParams, message };
  const { pushes, content } = parts;
  switch (`${message.method ?? ''} ${target.resource}`) {
    case 'POST uploads':
      return pushes.start(request);
    case 'PATCH uploads':
      return pushes.append(request);
    case 'PUT uploads':
      return pushes.finish(request);
    case 'DELETE uploads':
      return pushes.cancel(request);
    case 'PUT manifests':
      return pushes.putManifest(request);
    case 'DELETE manifests':
      return deleted(content.deleteManifest(target.repository, target.reference), 'MANIFEST_UNKNOWN');
    case 'DELETE blobs':
      return deleted(content.deleteBlob(target.repository, target.reference), 'BLOB_UNKNOWN');
    default:
      return errorAnswer(405, 'UNSUPPORTED', 'the operation is unsupported');
  }
}

function deleted(existed: boolean, code: string): Answer {
  return existed ? { status: 202 } : errorAnswer(404, code, 'unknown to registry');
}

async function readForm(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_TOKEN_FORM) throw new Error('form too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
