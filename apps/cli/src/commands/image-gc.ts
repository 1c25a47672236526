// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { parseDuration } from '../args/duration.ts';
import { formatBytes } from '../render/bytes.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, { flags }: Arguments): Promise<number> {
  const store = await session.store();
  const { signal } = session.interrupts;
  const removed = await store.gc({ graceMs: parseDuration(flags.text('grace-period') ?? '24h'), signal });
  for (const { kind, id } of removed) {
    if (kind === 'image') session.io.stdout.write(`successfully removed aci for image: "${id}"\n`);
    else session.debug(`removed ${kind} "${id}"`);
  }
  const images = removed.filter(({ kind }) => kind === 'image').length;
  if (images > 0) session.say(`${images} image(s) successfully removed`);
  const bytes = removed.reduce((sum, { size }) => sum + size, 0);
  if (bytes > 0) session.say(`${formatBytes(bytes)} freed`);
  return 0;
}
