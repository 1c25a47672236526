// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { usageError } from '../errors.ts';
import { writeOutput } from '../files/write-output.ts';
import { exportArchive } from '../images/export-image.ts';
import { parseExportTarget } from '../images/export-target.ts';
import { openStoredImage } from '../images/open-stored-image.ts';
import { packAci } from '../images/pack-aci.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, { flags, operands }: Arguments): Promise<number> {
  const [name = '', output = ''] = operands;
  const target = parseExportTarget(output);
  const overwrite = flags.boolean('overwrite');
  if (target.kind !== 'aci' && (flags.text('compression') ?? 'none') !== 'none') {
    throw usageError(
      '--compression is for ACIs',
      'an archive can be compressed through a pipe, fetch reads it all the same',
    );
  }
  const { store, image } = await openStoredImage(session, name, { use: 'read', flags });
  if (target.kind !== 'aci') {
    await exportArchive(session, { store, image }, { typed: name, target, overwrite });
    return 0;
  }
  const { signal } = session.interrupts;
  const bytes = await packAci(session, store.exportImage(image.id, { signal }), flags);
  await writeOutput(session, { path: target.path, overwrite, what: 'ACI' }, bytes);
  return 0;
}
