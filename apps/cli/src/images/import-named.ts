// SPDX-License-Identifier: Apache-2.0
import type { ImageRecord, Store } from '@rkt/store';
import { quote } from '../render/quote.ts';
import type { Session } from '../wiring/session.ts';

const SHORT_ID = 'sha512-'.length + 12;

/**
 * Takes an image of a file into the store and says what it is called there: the name may be one the file chose, and may have
 * been that of another image until now.
 */
export async function importNamed(
  session: Session,
  store: Store,
  put: () => Promise<ImageRecord>,
): Promise<ImageRecord> {
  const before = await store.listImages();
  const image = await put();
  const { id, name } = image;
  session.note(`imported image as ${name}`);
  const other = before.find((each) => each.id !== id && each.names.includes(name));
  if (other !== undefined) {
    session.warning(`${quote(name)} was ${other.id.slice(0, SHORT_ID)} until now`);
  }
  return image;
}
