// SPDX-License-Identifier: Apache-2.0
import type { PodId } from '@rkt/stage1';
import { reasonOf } from '../errors.ts';
import type { Session } from '../wiring/session.ts';
import { isPodGone } from './pod-gone.ts';

/** Whoever did not ask for `prepare` has no use for a pod that waits to be run. */
export async function discardUnrun(session: Session, id: PodId): Promise<void> {
  try {
    const runtime = await session.runtime();
    const { state } = await runtime.inspect(id);
    if (state === 'prepared') await runtime.remove(id);
  } catch (error) {
    if (isPodGone(error)) return;
    session.say(`cannot remove pod "${id}" (rkt gc will): ${reasonOf(error)}`);
  }
}
