// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { imageJson } from '../images/image-json.ts';
import { inspectRemote } from '../images/inspect-remote.ts';
import { openStoredImage } from '../images/open-stored-image.ts';
import { openDocuments } from '../render/report.ts';
import { reportEach } from '../render/report-each.ts';
import type { Session } from '../wiring/session.ts';

/** An array, as docker and podman print it, with an object for every image asked for that is there. */
export async function execute(session: Session, { flags, operands }: Arguments): Promise<number> {
  using report = openDocuments(session.io, flags);
  return await reportEach(session, operands, async (name) => {
    report.add(
      flags.boolean('remote')
        ? await inspectRemote(session, name, flags)
        : await imageJson(await openStoredImage(session, name, { use: 'read', flags })),
    );
  });
}
