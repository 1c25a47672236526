// SPDX-License-Identifier: Apache-2.0
import type { Digest } from './digest.ts';

/** A repository of a registry. */
export interface Repository {
  /** `host`, `host:port`, `[ipv6]` or `[ipv6]:port`, as written; Docker Hub is always `docker.io`. */
  readonly domain: string;
  /** Lower-case components joined by `/`, at most 255 characters. */
  readonly path: string;
}

/** A parsed image reference. With both, the digest says what is meant and the tag is a label. */
export interface Reference extends Repository {
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
}

/** A reference that names exact bytes. */
export type PinnedReference = Reference & { readonly digest: Digest };
