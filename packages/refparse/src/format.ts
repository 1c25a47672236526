// SPDX-License-Identifier: Apache-2.0
import { type Digest, parseDigest } from './digest.ts';
import { quote, ReferenceSyntaxError } from './errors.ts';
import { tagFault } from './grammar.ts';
import { tryParseReference } from './parse.ts';
import type { PinnedReference, Reference } from './reference.ts';

const DEFAULT_TAG = 'latest';

/** The canonical spelling: `docker.io/library/nginx:latest`. Parsing it gives an equal reference. */
export function formatReference(reference: Reference): string {
  return `${reference.domain}/${reference.path}${suffix(reference)}`;
}

/**
 * The shortest spelling that Docker's rules read back as the same reference: `nginx` for
 * `docker.io/library/nginx:latest`, the canonical one where nothing can be left out.
 */
export function formatFamiliar(reference: Reference): string {
  const official = reference.path.startsWith('library/') ? reference.path.slice('library/'.length) : reference.path;
  const endings = reference.tag === DEFAULT_TAG ? ['', suffix(reference)] : [suffix(reference)];
  for (const ending of endings) {
    for (const name of [official, reference.path, `${reference.domain}/${reference.path}`]) {
      if (isSame(tryParseReference(name + ending), reference)) return name + ending;
    }
  }
  return formatReference(reference);
}

/**
 * The same repository and digest with another tag.
 * @throws {ReferenceSyntaxError} ERR_RKT_REFPARSE_TAG_INVALID
 */
export function withTag(reference: Reference, tag: string): Reference {
  const offset = tagFault(tag);
  if (offset !== undefined) {
    throw new ReferenceSyntaxError('ERR_RKT_REFPARSE_TAG_INVALID', `invalid tag ${quote(tag)}`, {
      input: tag,
      offset,
      reason: 'not a tag',
    });
  }
  return { domain: reference.domain, path: reference.path, tag, digest: reference.digest };
}

/**
 * The same repository and tag, pinned to `digest`.
 * @throws {ReferenceSyntaxError} ERR_RKT_REFPARSE_DIGEST_INVALID, ERR_RKT_REFPARSE_DIGEST_UNSUPPORTED
 */
export function withDigest(reference: Reference, digest: Digest): PinnedReference {
  return { domain: reference.domain, path: reference.path, tag: reference.tag, digest: parseDigest(digest) };
}

function suffix(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  return reference.digest === undefined ? tag : `${tag}@${reference.digest}`;
}

function isSame(parsed: Reference | undefined, reference: Reference): boolean {
  return (
    parsed?.domain === reference.domain &&
    parsed.path === reference.path &&
    parsed.tag === reference.tag &&
    parsed.digest === reference.digest
  );
}
