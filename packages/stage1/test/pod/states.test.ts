// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { mayMove, podStages, stateOf } from '../../src/pod/index.ts';

describe('the state of a pod', () => {
  it.each([
    ['embryo', 'embryo', 'embryo'],
    ['prepare', 'preparing', 'aborted prepare'],
    ['prepared', 'prepared', 'prepared'],
    ['run', 'running', 'exited'],
    ['exited-garbage', 'exited deleting', 'exited garbage'],
    ['garbage', 'deleting', 'garbage'],
  ] as const)('in %s is %s while it is held and %s while it is not', (stage, locked, free) => {
    expect(stateOf(stage, true)).toBe(locked);
    expect(stateOf(stage, false)).toBe(free);
  });

  it('only ever goes on', () => {
    for (const [index, from] of podStages.entries()) {
      for (const to of podStages.slice(0, index + 1)) expect(mayMove(from, to)).toBe(false);
    }
    expect(mayMove('prepared', 'run')).toBe(true);
    expect(mayMove('run', 'garbage')).toBe(false);
    expect(mayMove('embryo', 'run')).toBe(false);
  });
});
