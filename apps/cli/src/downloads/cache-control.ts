// SPDX-License-Identifier: Apache-2.0
import { header, type ResponseHeaders } from '@rkt/registry';
import type { CacheState } from './downloads.ts';

const LONGEST_MAX_AGE = 365 * 24 * 3600;
/** RFC 9110, section 8.8.3, in ASCII and of a length that anybody has. */
const ENTITY_TAG = /^(W\/)?"[\x21\x23-\x7e]{0,256}"$/;

/** What header fields say about how long an answer holds; what is none of it says nothing. */
export function cacheStateOf(headers: ResponseHeaders): CacheState {
  const etag = header(headers, 'etag');
  return {
    etag: etag !== undefined && ENTITY_TAG.test(etag) ? etag : undefined,
    maxAge: maxAgeOf(header(headers, 'cache-control') ?? ''),
  };
}

function maxAgeOf(field: string): number {
  const directives = field
    .toLowerCase()
    .split(',', 32)
    .map((directive) => directive.trim());
  if (directives.includes('no-store') || directives.includes('no-cache')) return 0;
  const [, seconds = '0'] = directives.map((each) => /^max-age="?(\d{1,15})"?$/.exec(each)).find(Boolean) ?? [];
  return Math.min(Number(seconds), LONGEST_MAX_AGE);
}

/** A second: the resolution of dates. What changed in the one in which it was sent may have changed once more in it. */
const DATE_RESOLUTION_MS = 1000;

/**
 * What If-Range may be asked with: a strong entity tag, or else the date of the last change, where that is strong (RFC 9110,
 * sections 13.1.5 and 8.8.2.2).
 */
export function rangeValidatorOf(headers: ResponseHeaders): string | undefined {
  const { etag } = cacheStateOf(headers);
  if (etag !== undefined) return etag.startsWith('W/') ? undefined : etag;
  const date = header(headers, 'last-modified') ?? '';
  if (!/^[A-Z][a-z]{2}, [0-9A-Za-z: ]{17,40}GMT$/.test(date)) return undefined;
  return Date.parse(header(headers, 'date') ?? '') - Date.parse(date) >= DATE_RESOLUTION_MS ? date : undefined;
}

/** As text that the store keeps with an image: `max-age=60 etag="abc"`. */
export function formatCacheState({ etag, maxAge }: CacheState): string {
  return `max-age=${maxAge}${etag === undefined ? '' : ` etag=${etag}`}`;
}

/** What {@link formatCacheState} has written; anything else says nothing. */
export function parseCacheState(text: string): CacheState {
  const [, maxAge = '0', etag] = /^max-age=(\d{1,15})(?: etag=(.*))?$/.exec(text) ?? [];
  return { etag: etag !== undefined && ENTITY_TAG.test(etag) ? etag : undefined, maxAge: Number(maxAge) };
}

/** Whether nobody needs to ask again yet. Times in milliseconds since the epoch; a clock that was put back makes it old. */
export function isFresh({ maxAge }: CacheState, checkedAt: number, now: number): boolean {
  return now >= checkedAt && now < checkedAt + maxAge * 1000;
}
