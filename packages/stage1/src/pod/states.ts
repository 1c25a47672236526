// SPDX-License-Identifier: Apache-2.0
import type { Pod, PodState } from '../runtime.ts';

/** Directories below `pods/`. Which one a pod is in, and whether its lock is held, is all there is to its state. */
export type PodStage = 'embryo' | 'prepare' | 'prepared' | 'run' | 'exited-garbage' | 'garbage';

/** In the order a pod passes through them. */
export const podStages: readonly PodStage[] = ['embryo', 'prepare', 'prepared', 'run', 'exited-garbage', 'garbage'];

/** Those `list` shows, and an id is looked up in: an embryo is nobody's pod yet, garbage nobody's any more. */
export const visibleStages: readonly PodStage[] = ['run', 'prepared', 'exited-garbage', 'prepare'];

const states: Readonly<Record<PodStage, { readonly locked: PodState; readonly free: PodState }>> = {
  embryo: { locked: 'embryo', free: 'embryo' },
  prepare: { locked: 'preparing', free: 'aborted prepare' },
  prepared: { locked: 'prepared', free: 'prepared' },
  run: { locked: 'running', free: 'exited' },
  'exited-garbage': { locked: 'exited deleting', free: 'exited garbage' },
  garbage: { locked: 'deleting', free: 'garbage' },
};

export function stateOf(stage: PodStage, locked: boolean): PodState {
  return locked ? states[stage].locked : states[stage].free;
}

/** Whether apps of a pod run, or may come to, whoever watches them. */
export function isLive({ state }: Pick<Pod, 'state'>): boolean {
  return state === 'running' || state === 'orphaned';
}

/** The moves there are. Each is one rename(2) by whoever holds the pod's lock. */
const successors: Readonly<Record<PodStage, readonly PodStage[]>> = {
  embryo: ['prepare', 'garbage'],
  prepare: ['prepared', 'garbage'],
  prepared: ['run', 'garbage'],
  run: ['exited-garbage'],
  'exited-garbage': [],
  garbage: [],
};

export function mayMove(from: PodStage, to: PodStage): boolean {
  return successors[from].includes(to);
}
