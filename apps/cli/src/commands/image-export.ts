// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { writeOutputFile } from '../files/output-file.ts';
import { exportArchive } from '../images/export-image.ts';
import { parseExportTarget } from '../images/export-target.ts';
import { openStoredImage } from '../images/open-stored-image.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, { flags, operands }: Arguments): Promise<number> {
  const [name = '', output = ''] = operands;
  const target = parseExportTarget(output);
  const overwrite = flags.boolean('overwrite');
  const { store, image } = await openStoredImage(session, name, 'read');
  if (target.kind !== 'aci') {
    await exportArchive(session, { store, image }, { target, overwrite });
    return 0;
  }
  const { signal } = session.interrupts;
  const bytes = await packed(session, store.exportImage(image.id, { signal }), flags.text('compression'));
  if (target.path === '-') await session.io.writeBytes(bytes);
  else await writeOutputFile({ path: target.path, overwrite, what: 'ACI', signal }, bytes);
  return 0;
}

async function packed(
  { libraries }: Session,
  bytes: AsyncIterable<Uint8Array>,
  compression: string | undefined,
): Promise<AsyncIterable<Uint8Array>> {
  return compression === 'gzip' || compression === 'zstd' ? libraries.compressAci(bytes, compression) : bytes;
}
