// SPDX-License-Identifier: Apache-2.0
import type { ImageId } from '@rkt/appc';
import type { Finding } from '@rkt/store';
import type { Arguments } from '../args/command.ts';
import { CliError } from '../errors.ts';
import { openStoredImage } from '../images/open-stored-image.ts';
import { openReport, type Report } from '../render/report.ts';
import { reportEach } from '../render/report-each.ts';
import type { Session } from '../wiring/session.ts';
import type { VerifiedImage } from './reports.ts';

export async function execute(session: Session, { flags, operands }: Arguments): Promise<number> {
  using report = openReport<VerifiedImage>(session.io, flags);
  const found = new Set<ImageId>();
  const unknown = await reportEach(session, operands, async (name) => {
    const { image } = await openStoredImage(session, name, { use: 'change', flags });
    found.add(image.id);
  });
  const store = await session.existingStore('change');
  if (store === undefined || (operands.length > 0 && found.size === 0)) return unknown;
  const ids = operands.length === 0 ? {} : { ids: [...found] };
  let damaged = 0;
  for await (const finding of store.verify({ ...ids, signal: session.interrupts.signal })) {
    if (!tell(session, report, finding)) damaged += 1;
  }
  if (damaged === 0) return unknown;
  throw new CliError('ERR_RKT_CLI_INCOMPLETE', `${damaged} damage(s) found that cannot be repaired`, {
    hint: "remove the image with 'rkt image rm' and fetch it again",
  });
}

/** Says what was found; false for what is lost. */
function tell(session: Session, report: Report<VerifiedImage>, finding: Finding): boolean {
  const { kind, id } = finding;
  switch (finding.kind) {
    case 'image-ok':
      report.add({ kind, id }, `successfully verified checksum for image: "${id}"`);
      return true;
    case 'tree-rebuilt':
      report.add({ kind, id }, `tree cache verification failed for image "${id}": rebuilt`);
      return true;
    case 'image-corrupt':
      report.add({ kind, id, actual: finding.actual });
      session.say(`image "${finding.id}" is corrupt: ${whatInstead(finding.actual)}`);
      return false;
    case 'layer-corrupt':
      report.add(layerOf(finding));
      session.say(
        `layer ${finding.diffId} of image "${finding.id}" is corrupt: it hashes to ${finding.actual ?? 'nothing'}`,
      );
      return false;
    case 'layer-missing':
      report.add(layerOf(finding));
      session.say(`layer ${finding.diffId} of image "${finding.id}" is missing`);
      return false;
  }
}

function layerOf({ kind, id, diffId, actual }: Extract<Finding, { readonly diffId: string }>): VerifiedImage {
  return { kind, id, diff_id: diffId, ...(actual === undefined ? {} : { actual }) };
}

/** An ID, or why there is none. */
function whatInstead(actual: string): string {
  return actual.startsWith('sha512-') ? `its content hashes to ${actual}` : actual;
}
