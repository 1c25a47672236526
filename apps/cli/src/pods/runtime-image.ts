// SPDX-License-Identifier: Apache-2.0
import type { NameValue, RuntimeImage } from '@rkt/appc';
import type { StoredImage } from '@rkt/store';
import { versionOf } from '../images/image-names.ts';

/** How a pod manifest speaks of an image of the store: `rkt list` names it by this. */
export function runtimeImage(image: StoredImage): RuntimeImage {
  const labels = labelsOf(image);
  return { name: image.manifest.name, id: image.id, ...(labels.length === 0 ? {} : { labels }) };
}

/** The tag stands in the name of the record alone, so that the manifest is the same under every tag. */
function labelsOf({ name: recordName, manifest }: StoredImage): readonly NameValue[] {
  const labels = [...(manifest.labels ?? [])];
  const tag = versionOf(recordName);
  if (tag !== undefined && !labels.some(({ name }) => name === 'version')) labels.push({ name: 'version', value: tag });
  return labels;
}
