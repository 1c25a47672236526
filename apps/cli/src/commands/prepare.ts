// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { prepareFlags } from '../args/run-flags.ts';
import { preparePod } from '../pods/prepare-pod.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, args: Arguments): Promise<number> {
  await using pod = await preparePod(session, args, { specs: prepareFlags, ephemeral: false, interactive: false });
  session.io.stdout.write(`${pod.id}\n`);
  return 0;
}
