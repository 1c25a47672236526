// SPDX-License-Identifier: Apache-2.0
import { afterAll, afterEach, expect } from 'vitest';
import type { Runtime } from '../../src/index.ts';
import { createPodBench, type PodBench } from './bench.ts';
import { footprint, none } from './footprint.ts';

export interface UsedBench {
  readonly bench: PodBench;
  readonly runtime: Runtime;
}

/** A bench for all tests of a file, each of which must leave nothing of its pods on the host. */
export async function usePodBench(): Promise<UsedBench> {
  const bench = createPodBench();
  afterEach(() => expect(footprint(bench.dataDir, bench.ids)).toEqual(none));
  afterAll(() => bench.remove());
  return { bench, runtime: await bench.runtime() };
}
