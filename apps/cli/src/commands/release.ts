// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { isPodGone } from '../pods/pod-gone.ts';
import type { Session } from '../wiring/session.ts';

/** What the monitor of a detached app executes when the app has ended. The last app of a pod is the one that counts. */
export async function execute(session: Session, { flags, operands }: Arguments): Promise<number> {
  const [id = ''] = operands;
  const runtime = await session.runtime();
  try {
    const isReleased = await runtime.releaseEnded(id);
    if (isReleased && flags.boolean('rm')) await runtime.remove(id);
  } catch (error) {
    // Somebody was faster.
    if (!isPodGone(error)) throw error;
  }
  return 0;
}
