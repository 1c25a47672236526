// SPDX-License-Identifier: Apache-2.0
import type { Digest, DigestAlgorithm } from './digest.ts';

/** A repository of a registry. */
export interface Repository {
  /** `host`, `host:port`, `[ipv6]` or `[ipv6]:port`, as written; Docker Hub is always `docker.io`. */
  readonly domain: string;
  /** Lower-case components joined by `/`, at most 255 characters. */
  readonly path: string;
}

/** A parsed image reference. With both, the digest says what is meant and the tag is a label. */
export interface Reference<A extends string = DigestAlgorithm> extends Repository {
  readonly tag: string | undefined;
  readonly digest: Digest<A> | undefined;
}

/** A reference that names exact bytes. */
export type PinnedReference<A extends string = DigestAlgorithm> = Reference<A> & { readonly digest: Digest<A> };

/** True when the reference has a digest. */
export function isPinned<A extends string>(reference: Reference<A>): reference is PinnedReference<A> {
  return reference.digest !== undefined;
}

/** The repository of a reference, without tag and digest. */
export function repositoryOf(reference: Repository): Repository {
  return { domain: reference.domain, path: reference.path };
}
