// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { findStoredImage } from '../images/stored-image.ts';
import { renderJson } from '../render/json.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, { flags, operands }: Arguments): Promise<number> {
  const store = await session.store('read');
  const { id } = await findStoredImage(store, operands[0] ?? '');
  const { manifest } = await store.getImage(id);
  session.io.stdout.write(renderJson(manifest, flags.boolean('pretty-print') ? 'json-pretty' : 'json'));
  return 0;
}
