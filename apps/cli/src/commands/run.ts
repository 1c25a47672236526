// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { runFlags } from '../args/run-flags.ts';
import { discardUnrun } from '../pods/discard-unrun.ts';
import { preparePod } from '../pods/prepare-pod.ts';
import { runDetached } from '../pods/run-detached.ts';
import { foregroundOf, runPod } from '../pods/run-pod.ts';
import { forgetUuid, saveUuid } from '../pods/uuid-file.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, args: Arguments): Promise<number> {
  const { flags } = args;
  const foreground = foregroundOf(flags);
  const { remove: ephemeral, interactive } = foreground;
  const detached = flags.boolean('detach');
  await using pod = await preparePod(session, args, { specs: runFlags, ephemeral, interactive, detached });
  const file = flags.text('uuid-file-save');
  try {
    if (file !== undefined) saveUuid(file, pod.id);
    return await (detached ? runDetached(session, pod.id, foreground) : runPod(session, pod.id, foreground));
  } catch (error) {
    await discardUnrun(session, pod.id);
    if (file !== undefined) await forgetUuid(await session.runtime(), file, pod.id);
    throw error;
  }
}
