// SPDX-License-Identifier: Apache-2.0
import type { ImageRecord } from '@rkt/store';
import type { Arguments } from '../args/command.ts';
import { readImageRequests } from '../args/image-requests.ts';
import { obtainFlags } from '../args/obtain-flags.ts';
import { STANDARD_INPUT } from '../images/file-input.ts';
import { shortId } from '../images/image-names.ts';
import { importAciFromInput } from '../images/import-aci.ts';
import { obtainImage, shownName } from '../images/obtain-image.ts';
import { type ObtainOptions, readObtainOptions } from '../images/obtain-options.ts';
import { openReport } from '../render/report.ts';
import { reportEach } from '../render/report-each.ts';
import type { Session } from '../wiring/session.ts';
import type { FetchedImage } from './reports.ts';

export async function execute(session: Session, { flags, parts }: Arguments): Promise<number> {
  const shared = await readObtainOptions(session.io, flags);
  using report = openReport<FetchedImage>(session.io, flags);
  return await reportEach(session, readImageRequests(parts, obtainFlags('update')), async ({ image, flags: own }) => {
    const options = { ...shared, signatureFile: own.text('signature') };
    const { id, names } = await (image === STANDARD_INPUT
      ? fromInput(session, options)
      : obtainImage(session, image, options));
    report.add({ image: shownName(image), id, names }, flags.boolean('full') ? id : shortId(id));
  });
}

async function fromInput(session: Session, options: ObtainOptions): Promise<ImageRecord> {
  const record = await importAciFromInput(session, options);
  options.progress.onEvent({ type: 'image:stored', image: STANDARD_INPUT, id: record.id });
  return record;
}
