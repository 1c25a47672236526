// SPDX-License-Identifier: Apache-2.0

/** Numbers from 0 up to 1, the same ones for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What the grammars act on, and what they must not choke on. */
const alphabet = [
  ...'aabz09AZ.:/@-_[]=,*?^\\ \n\0%#~',
  '\u202e',
  '\ud83d',
  '\u00e9',
  'sha256:',
  'docker://',
  'oci:',
  '.aci',
];
const LARGE = 50_000;
const LARGE_EVERY = 400;
const MAX_MUTATIONS = 6;

/** Endless inputs: noise, mutations of `corpus`, and now and then one of 50 kB that repeats a few characters. */
export function* inputs(corpus: readonly string[], random: () => number): Generator<string, never, undefined> {
  const below = (limit: number): number => Math.floor(random() * limit);
  const pick = <T>(from: readonly T[]): T => from[below(from.length)] as T;
  const noise = (length: number): string => Array.from({ length }, () => pick(alphabet)).join('');
  const mutate = (text: string): string => {
    const [at, end] = [below(text.length + 1), below(text.length + 1)].sort((x, y) => x - y) as [number, number];
    switch (below(6)) {
      case 0:
        return text.slice(0, at) + text.slice(end);
      case 1:
        return text.slice(0, at) + noise(1 + below(3)) + text.slice(at);
      case 2:
        return text.slice(0, at) + pick(alphabet) + text.slice(at + 1);
      case 3:
        return text.slice(0, end) + text.slice(at);
      case 4:
        return text.slice(0, at) + pick(corpus).slice(below(8));
      default:
        return text.slice(0, at) + text.slice(at, end).toUpperCase() + text.slice(end);
    }
  };
  for (;;) {
    if (below(LARGE_EVERY) === 0) {
      yield (pick(corpus) + noise(1 + below(4)).repeat(LARGE)).slice(0, LARGE - 1) + noise(1);
    } else if (below(4) === 0) {
      yield noise(below(40));
    } else {
      let text = pick(corpus);
      for (let left = below(MAX_MUTATIONS); left >= 0; left -= 1) text = mutate(text);
      yield text;
    }
  }
}
