// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { Layout } from '../cas/layout.ts';
import { isStoreError } from '../errors.ts';
import { ownAci } from '../images/aci-layers.ts';
import { readManifest } from '../images/image-files.ts';
import { aciManifest } from '../render/aci-manifest.ts';
import { aciOf } from '../render/export-image.ts';
import { loadIndex } from '../render/load-tree.ts';
import type { ImageRecord } from '../store.ts';

/** What of a record says what an image is made of. */
export type ImageParts = Pick<ImageRecord, 'id' | 'layers' | 'acis' | 'size'>;

/** The ID the stored parts of an image give, or why they give none. @throws IO, PERMISSION, `signal.reason` */
export async function deriveId(layout: Layout, parts: ImageParts, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('sha512');
  let size = 0;
  try {
    if (!(await hasOwnManifest(layout, parts))) return 'its manifest is another one than that of its archive';
    for await (const chunk of aciOf(layout, parts)) {
      signal?.throwIfAborted();
      size += chunk.length;
      // A damaged index may say of a file that it has any size: its holes would be hashed for days.
      if (size > parts.size) return `its layers make more than ${parts.size} bytes`;
      hash.update(chunk);
    }
  } catch (error) {
    if (isDamage(error)) return error.message;
    throw error;
  }
  return `sha512-${hash.digest('hex')}`;
}

/** An index may be missing where it cannot be made again: in a store that is open read-only. */
const DAMAGE: ReadonlySet<string> = new Set(['ERR_RKT_STORE_CORRUPT', 'ERR_RKT_STORE_LAYER_MISSING']);

/** Whether an error says that something the store wrote is no longer what it was. */
export function isDamage(error: unknown): error is Error {
  return isStoreError(error) && DAMAGE.has(error.code);
}

/** The manifest of an image that came as an ACI is kept beside the archive, too, so that it need not be sought in there. */
async function hasOwnManifest(layout: Layout, parts: ImageParts): Promise<boolean> {
  const diffId = parts.layers[ownAci(parts) ?? -1];
  if (diffId === undefined) return true;
  const manifest = await aciManifest(layout, { diffId, index: await loadIndex(layout, diffId) });
  return Buffer.compare(manifest, await readManifest(layout, parts.id)) === 0;
}
