// SPDX-License-Identifier: Apache-2.0
import { formatRepository, type Reference, tryParseReference } from '@rkt/refparse';

/** The name the store keeps of a reference: in full, with the digest where that decides and else the tag. */
export function storedName(reference: Reference): string {
  const name = formatRepository(reference);
  if (reference.digest !== undefined) return `${name}@${reference.digest}`;
  return reference.tag === undefined ? name : `${name}:${reference.tag}`;
}

/** The tag or version of a name of the store: of `host:5000/app:1` it is `1`. */
export function versionOf(name: string): string | undefined {
  const [, version] = /^[^@]*:([^:/@]+)$/.exec(name) ?? [];
  return version;
}

/** A name of the store as the reference it is; undefined for a name that no registry could have. */
export function referenceOf(name: string): Reference | undefined {
  return tryParseReference(name, { mode: 'strict' });
}
