// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from './byte-string.ts';
import { cleanEntryPath } from './entry-path.ts';
import { defaultLayerLimits } from './layer-limits.ts';
import type { Directory } from './layer-tree.ts';

/** Whether a layer may contribute what it has under a path. */
export type ShowsPath = (path: ByteString) => boolean;

/**
 * What a path whitelist lets through (appc spec 0.8.11, "Image Manifest Schema", `pathWhitelist`): the very paths it
 * names. A directory that is named comes without what is in it. `undefined` for an empty list, which lets all through.
 *
 * @throws AppcError `ERR_RKT_APPC_PATH`, `ERR_RKT_APPC_LIMIT` for what can be no path of an image
 */
export function whitelistedPaths(paths: readonly string[]): ShowsPath | undefined {
  if (paths.length === 0) return undefined;
  const listed = new Set(paths.map((path) => cleanEntryPath(bytesOf(path), defaultLayerLimits.maxPathBytes)));
  return (path) => listed.has(path);
}

/**
 * Takes out of a layer what does not show. Directories stay for what is below them, and where they hide something of
 * lower layers. What is taken out can still be what a hard link means: only the name is gone.
 */
export function dropUnlisted(root: Directory, shows: ShowsPath): void {
  const directories: { readonly directory: Directory; readonly path: ByteString }[] = [{ directory: root, path: '' }];
  for (const { directory, path } of directories) {
    for (const [name, child] of directory.children) {
      if (child.kind === 'directory') directories.push({ directory: child, path: joined(path, name) });
    }
  }
  // Every directory stands behind its parent: from the end, children are done before what holds them.
  for (const { directory, path } of directories.reverse()) {
    for (const [name, child] of directory.children) {
      const needed = child.kind === 'directory' && (child.children.size > 0 || child.hidden.size > 0 || child.opaque);
      if (!needed && !shows(joined(path, name))) directory.children.delete(name);
    }
  }
}

function joined(path: ByteString, name: ByteString): ByteString {
  return path === '' ? name : `${path}/${name}`;
}

function bytesOf(text: string): ByteString {
  let bytes = '';
  for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte);
  return bytes;
}
