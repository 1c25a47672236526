// SPDX-License-Identifier: Apache-2.0
import type { ImageId } from '@rkt/appc';
import type { PodId } from '@rkt/stage1';
import type { Finding, RemovedItem } from '@rkt/store';

/* What commands that do something print with `--format=json`: an array of these. docs/contracts/json-output.md tells of them. */

/** `fetch` */
export interface FetchedImage {
  /** As it was asked for. */
  readonly image: string;
  readonly id: ImageId;
  readonly names: readonly string[];
}

/** `image rm`, `image gc` */
export interface RemovedFromStore {
  readonly kind: RemovedItem['kind'];
  readonly id: string;
  /** Bytes freed. */
  readonly size: number;
  /** Of an image: the names that went with it. */
  readonly names?: readonly string[];
}

/** `image verify` */
export interface VerifiedImage {
  readonly kind: Finding['kind'];
  readonly id: ImageId;
  readonly diff_id?: string;
  /** What is there instead. */
  readonly actual?: string;
}

/** `gc`, `rm`, `stop` */
export interface HandledPod {
  readonly name: PodId;
  readonly result: 'marked' | 'removed' | 'kept' | 'stopped' | 'already-stopped';
  /** Why it was kept. */
  readonly reason?: 'grace-period' | 'running';
}

/** `kill` */
export interface SignalledApp {
  readonly name: PodId;
  readonly app?: string;
  readonly signal: NodeJS.Signals;
}

/** `wait` */
export interface AwaitedApp {
  readonly name: PodId;
  readonly app?: string;
  readonly condition: 'exited' | 'healthy';
  readonly exit_code?: number;
}
