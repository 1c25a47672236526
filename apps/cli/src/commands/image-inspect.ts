// SPDX-License-Identifier: Apache-2.0
import type { ImageManifest } from '@rkt/appc';
import type { Arguments } from '../args/command.ts';
import { platformText } from '../images/image-platform.ts';
import { inspectRemote } from '../images/inspect-remote.ts';
import { type OpenedImage, openStoredImage } from '../images/open-stored-image.ts';
import { documentFormat, renderJson } from '../render/json.ts';
import { reportEach } from '../render/report-each.ts';
import { nanoseconds } from '../render/time.ts';
import type { Session } from '../wiring/session.ts';

/** An array, as docker and podman print it, with an object for every image asked for that is there. */
export async function execute(session: Session, { flags, operands }: Arguments): Promise<number> {
  const images: object[] = [];
  const status = await reportEach(session, operands, async (name) => {
    images.push(
      flags.boolean('remote')
        ? await inspectRemote(session, name, flags)
        : await inspect(await openStoredImage(session, name, { use: 'read', flags })),
    );
  });
  session.io.stdout.write(renderJson(images, documentFormat(flags)));
  return status;
}

async function inspect({ store, image }: OpenedImage): Promise<object> {
  const { id, names, size, importedAt, lastUsedAt } = image;
  const { manifest } = await store.getImage(id);
  const layers = await store.listLayers(id);
  return {
    id,
    names,
    platform: platformText(image),
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
