// SPDX-License-Identifier: Apache-2.0
import type { ImageId } from '@rkt/appc';
import type { RemovedItem } from '@rkt/store';
import type { Arguments } from '../args/command.ts';
import { type OpenedImage, openStoredImage } from '../images/open-stored-image.ts';
import { reportEach } from '../render/report-each.ts';
import type { Session } from '../wiring/session.ts';
import { sayFreed } from './image-gc.ts';

/** An image goes with every name it has, whichever it was asked for by. */
export async function execute(session: Session, { flags, operands }: Arguments): Promise<number> {
  const found = new Map<ImageId, OpenedImage>();
  const unknown = await reportEach(session, operands, async (name) => {
    const opened = await openStoredImage(session, name, { use: 'change', flags });
    found.set(opened.image.id, opened);
  });
  const removed: RemovedItem[] = [];
  const kept = await reportEach(session, [...found.values()], async ({ store, image }) => {
    removed.push(...(await store.removeImage(image.id)));
    session.io.stdout.write(`successfully removed aci for image: "${image.id}"\n`);
    if (image.names.length > 0) session.say(`it was called ${image.names.join(', ')}`);
  });
  const images = removed.filter(({ kind }) => kind === 'image').length;
  if (images > 0) session.say(`${images} image(s) successfully removed`);
  sayFreed(session, removed);
  return Math.max(unknown, kept);
}
