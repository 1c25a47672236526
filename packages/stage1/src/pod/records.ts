// SPDX-License-Identifier: Apache-2.0

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { PodManifest } from '@rkt/appc';
import { Stage1Error } from '../error.ts';
import type { Health } from '../health/health.ts';
import type { ProcessIdentity } from '../host/index.ts';
import type { NetworkResult } from '../networking/index.ts';
import type { IdRange } from '../oci-spec/index.ts';
import type { RootfsSource, SandboxSpec } from '../runtime.ts';
import { readTextFile, type WriteOptions, writeFileAtomically } from './files.ts';
import { readKeptExit } from './kept-exit.ts';
import { shapes } from './record-shapes.ts';

/** `sandbox.json`: what the pod was asked to be. Changes with the apps of a mutable pod alone. */
export interface SandboxRecord {
  readonly createdAt: number;
  readonly spec: SandboxSpec;
  readonly rootfs: Readonly<Record<string, RootfsSource>>;
  readonly ephemeral?: boolean;
  readonly mutable?: boolean;
}

/** `run.json`: what the sandbox became. Written by whoever holds the lock. */
export interface RunRecord {
  /** The pod's; here too, so that a list of many pods reads a file less of each. */
  readonly createdAt: number;
  readonly startedAt: number;
  readonly flavor: string;
  /** Keeps the namespaces while the process that made the sandbox lives. */
  readonly holder: ProcessIdentity;
  /** The first process of the pod's own PID namespace; absent: every app has one of its own. */
  readonly init?: ProcessIdentity;
  readonly hostname: string;
  readonly hostNetwork: boolean;
  readonly networks: readonly NetworkResult[];
  /** Whom of the host the users of the pod are; absent: the very same. */
  readonly users?: IdRange;
  /** The holder stays when the apps have ended, so that they can be started again; it holds the pod's lock, too. */
  readonly kept?: boolean;
  /**
   * Written when nothing of the sandbox is left on the host, and nobody writes about its apps any more: there is nothing to
   * release again, and a list reads one file of the pod.
   */
  readonly ended?: EndRecord;
}

/** Everything that is said of a pod that is over. */
export interface EndRecord {
  readonly manifest: PodManifest;
  /** The last record of every app that was added. */
  readonly apps: Readonly<Record<string, AppRecord>>;
}

/** `apps/<name>/status.json`, and what a monitor has written beside it. */
export interface AppRecord {
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly exitCode?: number;
  /** The kernel killed something of the app for want of memory. */
  readonly outOfMemory?: boolean;
  /** How often it has been started again since it was first started. */
  readonly restarts?: number;
  /** Of these, how often since a run that lasted. */
  readonly restartsInARow?: number;
  /** What whoever attaches to a detached app finds. Absent: it runs in somebody's foreground. */
  readonly streams?: { readonly stdin: boolean; readonly terminal: boolean };
  /** The app's first process. */
  readonly process?: ProcessIdentity;
  /** The runtime in somebody's foreground, or the monitor of a detached app: whoever waits for it. */
  readonly monitor?: ProcessIdentity;
}

type Durability = Required<Pick<WriteOptions, 'durable'>>;

/**
 * Files of one pod. Readers return undefined where there is no file.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_POD_CORRUPT where a file is no such record
 */
export const records = {
  readManifest: (dir: string): PodManifest | undefined => readRecord(join(dir, 'pod'), shapes.manifest),
  writeManifest: (dir: string, manifest: PodManifest, options: Durability): void => {
    writeFileAtomically(join(dir, 'pod'), JSON.stringify(manifest), options);
  },
  readSandbox: (dir: string): SandboxRecord | undefined => readRecord(join(dir, 'sandbox.json'), shapes.sandbox),
  writeSandbox: (dir: string, record: SandboxRecord, options: Durability): void => {
    writeFileAtomically(join(dir, 'sandbox.json'), JSON.stringify(record), options);
  },
  readRun: (dir: string): RunRecord | undefined => readRecord(join(dir, 'run.json'), shapes.run),
  writeRun: (dir: string, record: RunRecord): void => {
    writeFileAtomically(join(dir, 'run.json'), JSON.stringify(record));
  },
  readApp: (dir: string, app: string): AppRecord | undefined => {
    const record = readRecord(join(dir, 'apps', app, 'status.json'), shapes.app);
    if (record === undefined || record.finishedAt !== undefined) return record;
    return { ...record, ...readKeptExit(dir, app) };
  },
  readHealth: (dir: string, app: string): Health | undefined =>
    readRecord(join(dir, 'apps', app, 'health.json'), shapes.health),
  /** An app that is being removed has none any more. */
  writeHealth: (dir: string, app: string, health: Health): void => {
    if (existsSync(join(dir, 'apps', app)))
      writeFileAtomically(join(dir, 'apps', app, 'health.json'), JSON.stringify(health));
  },
  writeApp: (dir: string, app: string, record: AppRecord): void => {
    writeFileAtomically(join(dir, 'apps', app, 'status.json'), JSON.stringify(record));
  },
};

function readRecord<T>(path: string, hasShape: (value: unknown) => value is T): T | undefined {
  const text = readTextFile(path);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (hasShape(value)) return value;
  } catch (error) {
    throw corrupt(path, error);
  }
  throw corrupt(path);
}

function corrupt(path: string, cause?: unknown): Stage1Error {
  return new Stage1Error('ERR_RKT_STAGE1_POD_CORRUPT', `file ${path} of a pod is damaged`, { cause });
}
