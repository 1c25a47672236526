// SPDX-License-Identifier: Apache-2.0
import type { ImageId } from '@rkt/appc';
import type { RemovedItem } from '@rkt/store';
import type { Arguments } from '../args/command.ts';
import { hasCode, usageError } from '../errors.ts';
import { type OpenedImage, openStoredImage } from '../images/open-stored-image.ts';
import { openReport } from '../render/report.ts';
import { reportEach } from '../render/report-each.ts';
import type { Session } from '../wiring/session.ts';
import { sayRemoved, tellRemoved } from './image-gc.ts';
import type { RemovedFromStore } from './reports.ts';

/** An image goes with every name it has, whichever it was asked for by. */
export async function execute(session: Session, args: Arguments): Promise<number> {
  const { flags, operands } = args;
  const all = flags.boolean('all');
  if (all && operands.length > 0) throw usageError('give either images or --all');
  if (!all && operands.length === 0) {
    throw usageError('must provide at least one image ID', 'or remove all of them with --all');
  }
  using report = openReport<RemovedFromStore>(session.io, flags);
  const found = new Map<ImageId, OpenedImage>();
  const unknown = all ? await findAll(session, found) : await find(session, args, found);
  const removed: RemovedItem[] = [];
  try {
    const failed = await reportEach(session, [...found.values()], async ({ store, image }) => {
      const onRemoved = (item: RemovedItem): void => {
        removed.push(item);
        const isImage = item.kind === 'image' && item.id === image.id;
        tellRemoved(session, report, { ...item, ...(isImage && { names: image.names }) });
      };
      try {
        await store.removeImage(image.id, { onRemoved });
      } catch (error) {
        if (!all || !isToStay(error)) throw error;
        return session.say(`not removed: ${error.message}`);
      }
    });
    return Math.max(unknown, failed);
  } finally {
    sayRemoved(session, removed);
  }
}

/** What all images are without: those that a pod uses, and those that somebody else has removed meanwhile. */
function isToStay(error: unknown): error is Error {
  return hasCode(error, 'ERR_RKT_STORE_IMAGE_IN_USE', 'ERR_RKT_STORE_IMAGE_NOT_FOUND');
}

type Found = Map<ImageId, OpenedImage>;

async function find(session: Session, { flags, operands }: Arguments, found: Found): Promise<number> {
  return await reportEach(session, operands, async (name) => {
    const opened = await openStoredImage(session, name, { use: 'change', flags });
    found.set(opened.image.id, opened);
  });
}

async function findAll(session: Session, found: Found): Promise<number> {
  const store = await session.existingStore('change');
  if (store === undefined) return 0;
  for (const image of await store.listImages()) found.set(image.id, { store, image });
  return 0;
}
