// SPDX-License-Identifier: Apache-2.0
import type { ImageManifest } from '@rkt/appc';
import type { Arguments } from '../args/command.ts';
import { type OpenedImage, openStoredImage } from '../images/open-stored-image.ts';
import { documentFormat, renderJson } from '../render/json.ts';
import { nanoseconds } from '../render/time.ts';
import type { Session } from '../wiring/session.ts';

/** An array, as docker and podman print it, with an object for every image asked for. */
export async function execute(session: Session, { flags, operands }: Arguments): Promise<number> {
  const images: object[] = [];
  for (const name of operands) images.push(await inspect(await openStoredImage(session, name, 'read')));
  session.io.stdout.write(renderJson(images, documentFormat(flags)));
  return 0;
}

async function inspect({ store, image }: OpenedImage): Promise<object> {
  const { id, names, size, importedAt, lastUsedAt } = image;
  const { manifest } = await store.getImage(id);
  const layers = await store.listLayers(id);
  return {
    id,
    names,
    digest: annotation(manifest, 'manifesthash'),
    config_digest: annotation(manifest, 'imageid'),
    size,
    import_time: nanoseconds(importedAt),
    last_used_time: nanoseconds(lastUsedAt),
    layers: layers.map((layer) => ({ diff_id: layer.diffId, size: layer.size })),
    manifest,
  };
}

/** Of the image in its registry; left out for what was not converted. */
function annotation({ annotations }: ImageManifest, name: string): string | undefined {
  return annotations?.find((each) => each.name === `appc.io/docker/${name}`)?.value;
}
