// SPDX-License-Identifier: Apache-2.0
import { type Digest, type DigestAlgorithm, type DigestOptions, parseDigest } from './digest.ts';
import { quote, ReferenceSyntaxError } from './errors.ts';
import { tagFault } from './grammar.ts';
import { tryParseReference } from './parse.ts';
import type { PinnedReference, Reference, Repository } from './reference.ts';

const DEFAULT_TAG = 'latest';

/** The whole reference: `docker.io/library/nginx:latest`. Parsing it gives an equal one. */
export function formatReference(reference: Reference<string>): string {
  return formatRepository(reference) + suffix(reference);
}

/** The name alone: `docker.io/library/nginx`. */
export function formatRepository(repository: Repository): string {
  return `${repository.domain}/${repository.path}`;
}

/** What decides, and no label: the digest without the tag, or the tag where there is no digest. */
export function formatCanonical(reference: Reference<string>): string {
  return formatReference(reference.digest === undefined ? reference : { ...reference, tag: undefined });
}

/**
 * The shortest spelling that Docker's rules read back as the same reference: `nginx` for
 * `docker.io/library/nginx:latest`, the canonical one where nothing can be left out.
 */
export function formatFamiliar(reference: Reference<string>): string {
  if (reference.tag !== DEFAULT_TAG || reference.digest !== undefined) return formatFamiliarInFull(reference);
  const [name, bare] = [formatFamiliarInFull(reference), formatFamiliarInFull({ ...reference, tag: undefined })];
  return isSame(tryParseReference(bare), reference) ? bare : name;
}

/** The familiar spelling with the tag, be it the default. */
export function formatFamiliarInFull(reference: Reference<string>): string {
  const { domain, path } = reference;
  // Which digest it is does not matter to what the name means, and of what algorithm is the caller's to say.
  const probe: Reference<string> = reference.digest === undefined ? reference : { ...reference, digest: ANY_DIGEST };
  const official = path.startsWith('library/') ? path.slice('library/'.length) : path;
  const names = [official, path].filter((name) =>
    isSame(tryParseReference(name + suffix(probe), { defaultTag: false }), probe),
  );
  return (names[0] ?? `${domain}/${path}`) + suffix(reference);
}

const ANY_DIGEST: Digest = `sha256:${'0'.repeat(64)}`;

/**
 * The same repository and digest with another tag.
 * @throws {ReferenceSyntaxError} ERR_RKT_REFPARSE_TAG_INVALID
 */
export function withTag<A extends string>(reference: Reference<A>, tag: string): Reference<A> {
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
 * The reference itself when it has a tag or a digest, else with `tag`, which is `latest` by default.
 * @throws {ReferenceSyntaxError} ERR_RKT_REFPARSE_TAG_INVALID
 */
export function withDefaultTag<A extends string>(reference: Reference<A>, tag: string = DEFAULT_TAG): Reference<A> {
  return reference.tag === undefined && reference.digest === undefined ? withTag(reference, tag) : reference;
}

/**
 * The same repository and tag, pinned to `digest`.
 * @throws {ReferenceSyntaxError} ERR_RKT_REFPARSE_DIGEST_INVALID, ERR_RKT_REFPARSE_DIGEST_UNSUPPORTED
 */
export function withDigest<A extends string = DigestAlgorithm>(
  reference: Reference<string>,
  digest: Digest<A>,
  options: DigestOptions<A> = {},
): PinnedReference<A> {
  return { domain: reference.domain, path: reference.path, tag: reference.tag, digest: parseDigest(digest, options) };
}

function suffix(reference: Reference<string>): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  return reference.digest === undefined ? tag : `${tag}@${reference.digest}`;
}

function isSame(parsed: Reference | undefined, reference: Reference<string>): boolean {
  return (
    parsed?.domain === reference.domain &&
    parsed.path === reference.path &&
    parsed.tag === reference.tag &&
    parsed.digest === reference.digest
  );
}
