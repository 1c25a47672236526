// SPDX-License-Identifier: Apache-2.0
import type { ImageManifest } from '@rkt/appc';

/** What says which image it is, byte for byte. */
const IDENTITY: readonly string[] = ['imageid', 'manifesthash'].map((name) => `appc.io/docker/${name}`);

/**
 * The manifest of an image that is another one with changes and has all of its files itself: the same app under the same name,
 * without what would hide or bring back files of it, and without the digests of the image it was.
 */
export function changedManifest(manifest: ImageManifest): ImageManifest {
  const { dependencies: _, pathWhitelist: __, annotations, ...kept } = manifest;
  if (annotations === undefined) return kept;
  return { ...kept, annotations: annotations.filter(({ name }) => !IDENTITY.includes(name)) };
}
