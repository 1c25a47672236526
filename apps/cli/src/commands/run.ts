// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs';
import type { PodId } from '@rkt/stage1';
import type { Arguments } from '../args/command.ts';
import { runFlags } from '../args/run-flags.ts';
import { CliError, reasonOf } from '../errors.ts';
import { isPodGone } from '../pods/pod-gone.ts';
import { preparePod } from '../pods/prepare-pod.ts';
import { runDetached } from '../pods/run-detached.ts';
import { runPod } from '../pods/run-pod.ts';
import { quote } from '../render/quote.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, args: Arguments): Promise<number> {
  const { flags } = args;
  const remove = flags.boolean('rm');
  await using pod = await preparePod(session, args, { specs: runFlags, ephemeral: remove });
  const file = flags.text('uuid-file-save');
  try {
    if (file !== undefined) saveUuid(file, pod.id);
    const interactive = flags.boolean('interactive');
    if (flags.boolean('detach')) return await runDetached(session, pod.id, { interactive, remove });
    return await runPod(session, pod.id, { interactive, remove });
  } catch (error) {
    await discard(session, pod.id);
    throw error;
  }
}

/** Whoever did not ask for `prepare` has no use for a pod that waits to be run. */
async function discard(session: Session, id: PodId): Promise<void> {
  try {
    const runtime = await session.runtime();
    const { state } = await runtime.inspect(id);
    if (state === 'prepared') await runtime.remove(id);
  } catch (error) {
    if (isPodGone(error)) return;
    session.say(`cannot remove pod "${id}" (rkt gc will): ${reasonOf(error)}`);
  }
}

function saveUuid(file: string, id: string): void {
  try {
    writeFileSync(file, id);
  } catch (error) {
    const message = `cannot write UUID file ${quote(file)}: ${reasonOf(error)}`;
    throw new CliError('ERR_RKT_CLI_FILE', message, { cause: error });
  }
}
