// SPDX-License-Identifier: Apache-2.0
import type { Job } from '../measure.ts';

export type Network = 'host' | 'none' | 'default';

/** Something that pulls images. All its state is below one directory of the arena. */
export interface Puller {
  readonly name: string;
  readonly env: NodeJS.ProcessEnv;
  /** Its commands only ask a daemon, which does the work. */
  readonly hasDaemon: boolean;
  /** Empties its store. */
  reset(): void;
  pull(image: string): Job;
}

/** Something that pulls and runs images. */
export interface Tool extends Puller {
  /** Pulls again what it has: a tag that may have moved. */
  refresh(image: string): Job;
  /** Runs `true` in a stored image and removes what the run left, or undefined where the tool has no such network. */
  run(image: string, network: Network): Job | undefined;
  /** Bytes its store takes. */
  disk(): number;
  close(): void;
}
