// SPDX-License-Identifier: Apache-2.0
import { isAlphanumeric, isLowerAlphanumeric, isLowerHex, skipWhile } from './characters.ts';

/** Longest repository path, as the distribution project counts it: without the domain. */
export const MAX_PATH = 255;
export const MAX_TAG = 128;

const HYPHEN = 0x2d;
const DOT = 0x2e;
const SLASH = 0x2f;
const UNDERSCORE = 0x5f;
const HEX_ID_LENGTH = 64;

/** Index of the first unit that makes `path` no repository path, or undefined. The length is not checked here. */
export function pathFault(path: string): number | undefined {
  let at = 0;
  for (;;) {
    const start = at;
    at = skipWhile(path, at, isLowerAlphanumeric);
    if (at === start) return start;
    if (at === path.length) return undefined;
    at = separatorEnd(path, at);
    if (at < 0) return -at - 1;
  }
}

/** After one `/`, `.`, `_`, `__` or run of `-`; minus (index + 1) when there is none. */
function separatorEnd(path: string, at: number): number {
  switch (path.charCodeAt(at)) {
    case SLASH:
    case DOT:
      return at + 1;
    case UNDERSCORE:
      return path.charCodeAt(at + 1) === UNDERSCORE ? at + 2 : at + 1;
    case HYPHEN:
      return skipWhile(path, at, isHyphen);
    default:
      return -at - 1;
  }
}

function isHyphen(unit: number): boolean {
  return unit === HYPHEN;
}

/** Index of the first unit that makes `tag` no tag, or undefined. */
export function tagFault(tag: string): number | undefined {
  if (!isTagStart(tag.charCodeAt(0))) return 0;
  const end = skipWhile(tag, 1, (unit) => isTagStart(unit) || unit === HYPHEN || unit === DOT);
  if (end > MAX_TAG) return MAX_TAG;
  return end === tag.length ? undefined : end;
}

function isTagStart(unit: number): boolean {
  return isAlphanumeric(unit) || unit === UNDERSCORE;
}

/** 64 hex digits look like an image ID; as a bare name they are refused so that neither is meant by accident. */
export function isHexId(name: string): boolean {
  return name.length === HEX_ID_LENGTH && skipWhile(name, 0, isLowerHex) === HEX_ID_LENGTH;
}
