// SPDX-License-Identifier: Apache-2.0
import { AppcError, quoteUntrusted } from '../errors.ts';
import type { ByteString } from './byte-string.ts';

/** Longest file name Linux filesystems take, in bytes. */
const MAX_COMPONENT_BYTES = 255;
const SLASH = 0x2f;
const DOT = 0x2e;

/**
 * The path of a tar entry as {@link LayerEntry.path} has it: leading `/` and `./` gone, `.`, `..` and doubled slashes
 * resolved by name alone (links play no part). `''` is the root.
 *
 * @throws AppcError `ERR_RKT_APPC_PATH`: leaves the root, holds a NUL, or a component exceeds 255 bytes.
 * `ERR_RKT_APPC_LIMIT`: longer than `maxBytes`, not counting one slash at the end.
 */
export function cleanEntryPath(name: ByteString, maxBytes: number): ByteString {
  if (name.length > maxBytes + (name.endsWith('/') ? 1 : 0)) {
    throw new AppcError(
      'ERR_RKT_APPC_LIMIT',
      `path of ${name.length} bytes exceeds ${maxBytes}: ${quoteUntrusted(name)}`,
    );
  }
  const trimmed = trimSlashes(name);
  return isCleanPath(trimmed) ? trimmed : resolveComponents(trimmed);
}

/** Takes off the `./` or `/` most archives put before and after a name, so that the common case needs no splitting. */
function trimSlashes(name: ByteString): ByteString {
  let start = 0;
  let end = name.length;
  while (start < end && name.charCodeAt(start) === SLASH) start += 1;
  if (name.charCodeAt(start) === DOT && name.charCodeAt(start + 1) === SLASH) start += 2;
  while (end > start && name.charCodeAt(end - 1) === SLASH) end -= 1;
  return start === 0 && end === name.length ? name : name.slice(start, end);
}

/**
 * True if {@link cleanEntryPath} would give `path` back unchanged, but for its length. The first `known` bytes are taken
 * to begin a clean path.
 */
export function isCleanPath(path: ByteString, known = 0): boolean {
  if (path === '') return true;
  let start = known === 0 ? 0 : path.lastIndexOf('/', known - 1) + 1;
  for (let at = start; at <= path.length; at += 1) {
    const unit = at === path.length ? SLASH : path.charCodeAt(at);
    if (unit === 0 || unit > 0xff) return false;
    if (unit !== SLASH) continue;
    if (!isPlainComponent(path, start, at)) return false;
    start = at + 1;
  }
  return true;
}

function isPlainComponent(path: ByteString, start: number, end: number): boolean {
  const length = end - start;
  if (length === 0 || length > MAX_COMPONENT_BYTES) return false;
  if (length > 2 || path.charCodeAt(start) !== DOT) return true;
  return length === 2 && path.charCodeAt(start + 1) !== DOT;
}

function resolveComponents(path: ByteString): ByteString {
  if (path.includes('\0')) throw new AppcError('ERR_RKT_APPC_PATH', `path holds a NUL byte: ${quoteUntrusted(path)}`);
  const kept: string[] = [];
  for (const component of path.split('/')) {
    if (component === '' || component === '.') continue;
    if (component.length > MAX_COMPONENT_BYTES) {
      throw new AppcError(
        'ERR_RKT_APPC_PATH',
        `name of ${component.length} bytes exceeds ${MAX_COMPONENT_BYTES}: ${quoteUntrusted(component)}`,
      );
    }
    if (component !== '..') kept.push(component);
    else if (kept.pop() === undefined) {
      throw new AppcError('ERR_RKT_APPC_PATH', `path leaves the root: ${quoteUntrusted(path)}`);
    }
  }
  return kept.join('/');
}
