// SPDX-License-Identifier: Apache-2.0
import type { PodId } from '@rkt/stage1';
import type { Session } from '../wiring/session.ts';

/** What is executed for every health check of an app: `rkt health`. */
export async function healthCommand({ io, dataDir }: Session, id: PodId, app: string): Promise<readonly string[]> {
  return [...(await io.ownCommand()), `--dir=${await dataDir()}`, 'health', `--app=${app}`, id];
}
