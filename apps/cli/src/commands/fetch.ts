// SPDX-License-Identifier: Apache-2.0
import type { ImageId } from '@rkt/appc';
import type { ImageRecord } from '@rkt/store';
import type { Arguments } from '../args/command.ts';
import { readImageRequests } from '../args/image-requests.ts';
import { obtainFlags } from '../args/obtain-flags.ts';
import { STANDARD_INPUT } from '../images/file-input.ts';
import { importAciFromInput } from '../images/import-aci.ts';
import { obtainImage } from '../images/obtain-image.ts';
import { type ObtainOptions, readObtainOptions } from '../images/obtain-options.ts';
import { reportEach } from '../render/report-each.ts';
import type { Session } from '../wiring/session.ts';

/** Half of what SHA-512 gives, as scripts of the original expect it; any unique prefix names an image. */
const SHORT_DIGITS = 32;

export async function execute(session: Session, { flags, parts }: Arguments): Promise<number> {
  const shared = await readObtainOptions(session.io, flags);
  return await reportEach(session, readImageRequests(parts, obtainFlags('update')), async ({ image, flags: own }) => {
    const options = { ...shared, signatureFile: own.text('signature') };
    const { id } = await (image === STANDARD_INPUT
      ? fromInput(session, options)
      : obtainImage(session, image, options));
    session.io.stdout.write(`${flags.boolean('full') ? id : short(id)}\n`);
  });
}

async function fromInput(session: Session, options: ObtainOptions): Promise<ImageRecord> {
  const record = await importAciFromInput(session, options);
  options.progress.onEvent({ type: 'image:stored', image: STANDARD_INPUT, id: record.id });
  return record;
}

function short(id: ImageId): string {
  return id.slice(0, 'sha512-'.length + SHORT_DIGITS);
}
