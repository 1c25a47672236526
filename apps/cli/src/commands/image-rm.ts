// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { findStoredImage } from '../images/stored-image.ts';
import { reportEach } from '../render/report-each.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, { operands }: Arguments): Promise<number> {
  const store = await session.store();
  let removed = 0;
  const status = await reportEach(session, [...new Set(operands)], async (image) => {
    const { id } = await findStoredImage(store, image);
    await store.removeImage(id);
    removed += 1;
    session.io.stdout.write(`successfully removed aci for image: "${id}"\n`);
  });
  if (removed > 0) session.say(`${removed} image(s) successfully removed`);
  return status;
}
