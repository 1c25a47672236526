// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readSync } from 'node:fs';
import { createLayerIndexer, type FileTree, mergeLayers } from '@rkt/appc';

/** Packs a directory with GNU tar, keeping all it can. */
export function packDirectory(directory: string, tar: string, options: readonly string[] = []): void {
  execFileSync(
    'tar',
    [
      '--create',
      `--file=${tar}`,
      '--format=posix',
      '--numeric-owner',
      '--xattrs',
      '--xattrs-include=*',
      ...options,
      `--directory=${directory}`,
      '.',
    ],
    QUIET,
  );
}

/** Unpacks with GNU tar: the independent answer to what an archive means. */
export function unpackWithTar(tar: string, directory: string): void {
  execFileSync(
    'tar',
    [
      '--extract',
      `--file=${tar}`,
      '--same-permissions',
      '--same-owner',
      '--numeric-owner',
      '--xattrs',
      '--xattrs-include=*',
      `--directory=${directory}`,
    ],
    QUIET,
  );
}

/** Warnings about dates in the past and the future are not news; the exit status counts. */
const QUIET = { stdio: 'ignore' } as const;

/** The tree of layer tars, base first. DiffIDs are made up: nothing here looks at them. */
export function treeOf(tars: readonly string[]): FileTree {
  return mergeLayers(
    tars.map((tar, layer) => ({ diffId: `sha256:${String(layer).padStart(64, '0')}`, index: indexTar(tar) })),
  );
}

function indexTar(tar: string): ReturnType<ReturnType<typeof createLayerIndexer>['finish']> {
  const indexer = createLayerIndexer();
  const handle = openSync(tar, 'r');
  const buffer = Buffer.alloc(1 << 20);
  try {
    for (let read = readSync(handle, buffer); read > 0; read = readSync(handle, buffer)) {
      indexer.push(buffer.subarray(0, read));
    }
  } finally {
    closeSync(handle);
  }
  return indexer.finish();
}
