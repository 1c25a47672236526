// SPDX-License-Identifier: Apache-2.0
import type { Pod } from '@rkt/stage1';

/** Whether a pod has been run and runs no more. What never was run goes to the garbage by another way. */
export function isExited({ state }: Pick<Pod, 'state'>): boolean {
  return state.startsWith('exited');
}
