// SPDX-License-Identifier: Apache-2.0
import { isDigest } from '@rkt/refparse';
import type { Answer } from './answer.ts';
import { errorAnswer } from './auth.ts';
import { type Content, readContent, type StoredBlob } from './content.ts';

/** What a request asks of a repository. */
export interface ContentRequest {
  readonly repository: string;
  /** Tag, digest, or nothing, by route. */
  readonly reference: string;
  readonly query: URLSearchParams;
  readonly range: string | undefined;
}

const DEFAULT_PAGE = 1000;

/** GET and HEAD of a manifest. */
export function serveManifest(content: Content, request: ContentRequest): Answer {
  const found = content.manifest(request.repository, request.reference);
  if (found === undefined) {
    const known = content.tags(request.repository) !== undefined;
    return known
      ? errorAnswer(404, 'MANIFEST_UNKNOWN', 'manifest unknown')
      : errorAnswer(404, 'NAME_UNKNOWN', 'repository name not known to registry');
  }
  return {
    status: 200,
    headers: {
      'content-type': found.mediaType,
      'content-length': String(found.bytes.length),
      'docker-content-digest': found.digest,
      etag: `"${found.digest}"`,
    },
    body: found.bytes,
  };
}

/** GET and HEAD of a blob, whole or from one range. */
export function serveBlob(content: Content, request: ContentRequest): Answer {
  const blob = content.blob(request.repository, request.reference);
  if (blob === undefined) return errorAnswer(404, 'BLOB_UNKNOWN', 'blob unknown to registry');
  const headers = {
    'content-type': 'application/octet-stream',
    'docker-content-digest': request.reference,
    'accept-ranges': 'bytes',
  };
  const range = parseRange(request.range, blob.size);
  if (range === 'unsatisfiable') {
    return { status: 416, headers: { 'content-range': `bytes */${blob.size}` } };
  }
  if (range === undefined) return piece(blob, 200, headers, { start: 0, end: blob.size });
  const { start, end } = range;
  return piece(blob, 206, { ...headers, 'content-range': `bytes ${start}-${end - 1}/${blob.size}` }, range);
}

interface ByteRange {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

function piece(blob: StoredBlob, status: number, headers: Readonly<Record<string, string>>, range: ByteRange): Answer {
  return {
    status,
    headers: { ...headers, 'content-length': String(range.end - range.start) },
    body: () => readContent(blob, range.start, range.end),
  };
}

/** One range of bytes; other units and several ranges are ignored, as RFC 9110 allows. */
function parseRange(value: string | undefined, size: number): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=([0-9]{0,15})-([0-9]{0,15})$/.exec(value ?? '');
  if (match === null) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1);
  return start < end ? { start, end } : 'unsatisfiable';
}

/** The manifests whose subject is the one asked for, in pages of `n`. OCI distribution spec, "Listing Referrers". */
export function serveReferrers(content: Content, request: ContentRequest): Answer {
  if (!isDigest(request.reference)) return errorAnswer(400, 'DIGEST_INVALID', 'referrers are asked for by digest');
  const all = content.manifests(request.repository).flatMap(({ bytes, digest, mediaType }) => {
    const document = JSON.parse(Buffer.from(bytes).toString('utf8')) as ReferringManifest;
    if (document.subject?.digest !== request.reference) return [];
    const artifactType = document.artifactType ?? document.config?.mediaType;
    return [{ mediaType, digest, size: bytes.length, artifactType, annotations: document.annotations }];
  });
  const from = Number(request.query.get('from') ?? 0);
  const limit = Number(request.query.get('n') ?? DEFAULT_PAGE);
  const manifests = all.slice(from, from + limit);
  const next = `/v2/${request.repository}/referrers/${request.reference}?n=${limit}&from=${from + limit}`;
  return {
    status: 200,
    headers: {
      'content-type': 'application/vnd.oci.image.index.v1+json',
      ...(from + limit < all.length ? { link: `<${next}>; rel="next"` } : {}),
    },
    body: JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests }),
  };
}

interface ReferringManifest {
  readonly subject?: { readonly digest?: string };
  readonly artifactType?: string;
  readonly config?: { readonly mediaType?: string };
  readonly annotations?: unknown;
}

/** A page of the tag list. */
export function serveTags(content: Content, request: ContentRequest): Answer {
  const all = content.tags(request.repository);
  if (all === undefined) return errorAnswer(404, 'NAME_UNKNOWN', 'repository name not known to registry');
  const last = request.query.get('last') ?? '';
  const asked = request.query.get('n') ?? '';
  const limit = /^[0-9]{1,6}$/.test(asked) ? Number(asked) : DEFAULT_PAGE;
  const after = all.filter((tag) => tag > last);
  const tags = after.slice(0, limit);
  const next = `/v2/${request.repository}/tags/list?n=${limit}&last=${encodeURIComponent(tags.at(-1) ?? '')}`;
  return {
    status: 200,
    headers: {
      'content-type': 'application/json',
      ...(tags.length < after.length && tags.length > 0 ? { link: `<${next}>; rel="next"` } : {}),
    },
    body: JSON.stringify({ name: request.repository, tags }),
  };
}
