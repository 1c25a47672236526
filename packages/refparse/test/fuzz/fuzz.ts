// SPDX-License-Identifier: Apache-2.0
import { readVectors } from '../vectors.ts';
import { checkInput } from './check-input.ts';
import { inputs, randomNumbers } from './inputs.ts';

export interface FuzzOptions {
  readonly seed: number;
  /** Stops after so many inputs. */
  readonly count: number;
  /** Stops after so long. */
  readonly milliseconds: number;
}

/** Checks inputs until count or time are over and says how many. Throws at the first that fails, with the input. */
export function fuzz({ seed, count, milliseconds }: FuzzOptions): number {
  const corpus = ['references_valid.txt', 'references_invalid.txt'].flatMap((name) =>
    readVectors(name).map(([input = '']) => input),
  );
  const deadline = performance.now() + milliseconds;
  let checked = 0;
  for (const input of inputs(corpus, randomNumbers(seed))) {
    if (checked >= count || performance.now() > deadline) return checked;
    try {
      checkInput(input);
    } catch (cause) {
      const shown = JSON.stringify(input.length > 300 ? `${input.slice(0, 300)}... (${input.length})` : input);
      throw new Error(`input ${checked} of seed ${seed} fails: ${shown}`, { cause });
    }
    checked += 1;
  }
  return checked;
}
