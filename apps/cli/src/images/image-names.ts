// SPDX-License-Identifier: Apache-2.0
import type { ImageId } from '@rkt/appc';
import { formatFamiliar, formatRepository, type Reference, tryParseReference } from '@rkt/refparse';

/** The name the store keeps of a reference: in full, with the digest where that decides and else the tag. */
export function storedName(reference: Reference): string {
  const name = formatRepository(reference);
  if (reference.digest !== undefined) return `${name}@${reference.digest}`;
  return reference.tag === undefined ? name : `${name}:${reference.tag}`;
}

/** Half of what SHA-512 gives, as scripts of the original expect it; any unique prefix names an image. */
const SHORT_DIGITS = 32;

/** An ID as `fetch` prints it. */
export function shortId(id: ImageId): string {
  return id.slice(0, 'sha512-'.length + SHORT_DIGITS);
}

/** The tag or version of a name of the store: of `host:5000/app:1` it is `1`. */
export function versionOf(name: string): string | undefined {
  const [, version] = /^[^@]*:([^:/@]+)$/.exec(name) ?? [];
  return version;
}

/** Whether a name of the store is what was typed, in full or as people write it, with its tag or without. */
export function isCalled(name: string, typed: string): boolean {
  return [name, familiarName(name)].some((each) => {
    const version = versionOf(each);
    return typed === each || (version !== undefined && typed === each.slice(0, -version.length - 1));
  });
}

/** A name of the store as the reference it is; undefined for a name that no registry could have. */
export function referenceOf(name: string): Reference | undefined {
  return tryParseReference(name, { mode: 'strict' });
}

/** A name of the store as people write it, `redis:latest`: read back, it is the same. */
export function familiarName(name: string): string {
  const [, base = name, none = ''] = /^(.*)(:<none>)$/.exec(name) ?? [];
  const reference = tryParseReference(base, { mode: 'strict', defaultTag: false });
  if (reference === undefined) return name;
  const { tag, digest } = reference;
  const familiar = formatFamiliar(reference);
  // The default tag, which may be left out, is shown: `image list` is about tags.
  const isShown = tag === undefined || digest !== undefined || familiar.endsWith(`:${tag}`);
  return `${familiar}${isShown ? '' : `:${tag}`}${none}`;
}
