// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { ImageId } from '@rkt/appc';

/** Where everything stands below the store directory. See docs/contracts/on-disk-format.md. */
export interface Layout {
  readonly dir: string;
  readonly cas: string;
  readonly formatFile: string;
  readonly database: string;
  readonly temporary: string;
  readonly layers: string;
  readonly images: string;
  readonly trees: string;
  readonly locks: string;
}

export function layoutOf(dir: string): Layout {
  const cas = join(dir, 'cas');
  return {
    dir,
    cas,
    formatFile: join(cas, 'format'),
    database: join(cas, 'db'),
    temporary: join(cas, 'tmp'),
    layers: join(cas, 'layers', 'sha256'),
    images: join(cas, 'images'),
    trees: join(cas, 'trees'),
    locks: join(dir, 'locks'),
  };
}

/** Directory of a layer's two files; layers are spread over 256 of them. */
export function layerDirectory(layout: Layout, diffId: string): string {
  return join(layout.layers, hexOf(diffId).slice(0, 2));
}

export function layerTar(layout: Layout, diffId: string): string {
  return join(layerDirectory(layout, diffId), `${hexOf(diffId)}.tar`);
}

export function layerIndex(layout: Layout, diffId: string): string {
  return join(layerDirectory(layout, diffId), `${hexOf(diffId)}.idx`);
}

export function layerLock(layout: Layout, diffId: string): string {
  return join(layout.locks, `layer-${hexOf(diffId)}`);
}

export function imageDirectory(layout: Layout, id: ImageId): string {
  return join(layout.images, id);
}

export function imageLock(layout: Layout, id: ImageId): string {
  return join(layout.locks, `image-${id}`);
}

/** Ends the names of marks; see `removal-mark.ts`. */
export const MARK_OF_REMOVAL = '.removal';

export function removalMark(layout: Layout, id: ImageId): string {
  return join(layout.temporary, `${id}${MARK_OF_REMOVAL}`);
}

export function erofsTree(layout: Layout, id: ImageId): string {
  return join(layout.trees, `${id}.erofs`);
}

export function directoryTree(layout: Layout, id: ImageId): string {
  return join(layout.trees, id);
}

const DIFF_ID = /^sha256:[0-9a-f]{64}$/;
const IMAGE_ID = /^sha512-[0-9a-f]{128}$/;

/** Whether a string is a diffID in the one spelling the store uses. Everything that becomes a path passes here. */
export function isDiffId(value: string): boolean {
  return DIFF_ID.test(value);
}

export function isFullImageId(value: string): value is ImageId {
  return IMAGE_ID.test(value);
}

function hexOf(diffId: string): string {
  return diffId.slice('sha256:'.length);
}
