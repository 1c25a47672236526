// SPDX-License-Identifier: Apache-2.0
import type { ImageRecord } from '@rkt/store';
import { quote } from '../render/quote.ts';
import type { Session } from '../wiring/session.ts';

const SHORT_ID = 'sha512-'.length + 12;

/**
 * Takes an image of a file into the store and says what it is called there: the name may be one the file chose, and may have
 * been that of another image until now.
 * @param names under which it is put, where those are known before
 */
export async function importNamed(
  session: Session,
  put: () => Promise<ImageRecord>,
  names?: readonly string[],
): Promise<ImageRecord> {
  const before = await (await session.store()).listImages();
  const image = await put();
  for (const name of names ?? [image.name]) {
    session.note(`imported image as ${name}`);
    const other = before.find((each) => each.id !== image.id && each.names.includes(name) && isForSame(each, image));
    if (other === undefined) continue;
    session.warning(`${quote(name)} was ${other.id.slice(0, SHORT_ID)} until now`);
  }
  return image;
}

/** A name is that of one image of each platform. */
function isForSame({ platform: one }: ImageRecord, { platform: other }: ImageRecord): boolean {
  return one?.os === other?.os && one?.arch === other?.arch;
}
