// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs';
import type { Arguments } from '../args/command.ts';
import { runFlags } from '../args/run-flags.ts';
import { CliError, reasonOf } from '../errors.ts';
import { preparePod } from '../pods/prepare-pod.ts';
import { runPod } from '../pods/run-pod.ts';
import { quote } from '../render/quote.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, args: Arguments): Promise<number> {
  const pod = await preparePod(session, args, runFlags);
  const file = args.flags.text('uuid-file-save');
  if (file !== undefined) saveUuid(file, pod.id);
  return runPod(session, pod.id, args.flags.boolean('interactive'));
}

function saveUuid(file: string, id: string): void {
  try {
    writeFileSync(file, id);
  } catch (error) {
    const message = `cannot write UUID file ${quote(file)}: ${reasonOf(error)}`;
    throw new CliError('ERR_RKT_CLI_FILE', message, { cause: error });
  }
}
