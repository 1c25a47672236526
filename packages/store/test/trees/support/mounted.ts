// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadTreeSyscalls } from '../../../src/host/tree-syscalls.ts';

/** Mounts an image without attaching it anywhere; it is gone after `use`, whatever happens. */
export async function withMounted<T>(
  image: Uint8Array,
  layerPaths: readonly string[],
  options: { readonly scratch: string; readonly use: (root: string) => T },
): Promise<T> {
  const calls = await loadTreeSyscalls();
  const path = join(options.scratch, `image-${process.hrtime.bigint()}.erofs`);
  writeFileSync(path, image);
  const source = openSync(path, 'r');
  const devices = layerPaths.map((layer) => openSync(layer, 'r'));
  let root: number | undefined;
  try {
    root = calls.mountErofsDetached(source, devices);
    return options.use(`/proc/self/fd/${root}`);
  } finally {
    for (const handle of [source, ...devices]) closeSync(handle);
    if (root !== undefined) closeSync(root);
  }
}
