// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { hasCode } from '../errors.ts';
import { isPodGone } from '../pods/pod-gone.ts';
import type { Session } from '../wiring/session.ts';

/** There is nothing to be checked any more. */
const OVER = 3;

/** One check of an app, as a shell of the pod's executes it again and again. */
export async function execute(session: Session, { flags, operands }: Arguments): Promise<number> {
  const [id = ''] = operands;
  const runtime = await session.runtime();
  try {
    const health = await runtime.checkHealth(id, { app: flags.text('app'), signal: session.interrupts.signal });
    return health === undefined ? OVER : 0;
  } catch (error) {
    if (isPodGone(error) || isAppGone(error)) return OVER;
    throw error;
  }
}

/** It has ended, or has been removed from its pod. */
function isAppGone(error: unknown): boolean {
  return hasCode(error, 'ERR_RKT_STAGE1_APP_NOT_RUNNING', 'ERR_RKT_STAGE1_APP_NOT_FOUND');
}
