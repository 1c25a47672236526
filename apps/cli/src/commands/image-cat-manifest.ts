// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { openStoredImage } from '../images/open-stored-image.ts';
import { documentFormat, renderJson } from '../render/json.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, { flags, operands }: Arguments): Promise<number> {
  const { store, image } = await openStoredImage(session, operands[0] ?? '', { use: 'read', flags });
  const { manifest } = await store.getImage(image.id);
  session.io.stdout.write(renderJson(manifest, documentFormat(flags)));
  return 0;
}
