// SPDX-License-Identifier: Apache-2.0
import { closeSync, mkdirSync, openSync, readdirSync, readlinkSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Stage1Error } from '../error.ts';
import { eventually } from '../eventually.ts';
import type { Host } from '../host/index.ts';
import type { IdRange } from '../oci-spec/index.ts';
import { hasCode, isPodId, readTextFile } from '../pod/index.ts';
import type { PodId } from '../runtime.ts';
import { chooseRange, rangeSize } from './choose-range.ts';
import { readIdTables } from './id-tables.ts';

/**
 * Which pod has which ids of the host. A symbolic link per range, named after its first id, that points to the pod's id:
 * it is there as a whole or not at all, and needs nobody to be alive.
 */
export interface RangeReservations {
  /** @throws Stage1Error ERR_RKT_STAGE1_USER_NAMESPACE_UNAVAILABLE when none is free */
  reserve(podId: PodId, signal?: AbortSignal): Promise<IdRange>;
  /** To be called when no file of the pod is left that could belong to its users. Idempotent. */
  release(podId: PodId): Promise<void>;
  /** Pods that have one. */
  owners(): readonly PodId[];
}

export function openRangeReservations(dir: string, host: Host): RangeReservations {
  return {
    reserve: async (podId, signal) => {
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      return locked(host, { dir, signal }, () => take(dir, podId));
    },
    release: async (podId) => {
      if (!linksIn(dir).some(({ owner }) => owner === podId)) return;
      await locked(host, { dir, signal: undefined }, () => {
        for (const { path, owner } of linksIn(dir)) if (owner === podId) rmSync(path, { force: true });
      });
    },
    owners: () => linksIn(dir).map(({ owner }) => owner),
  };
}

function take(dir: string, podId: PodId): IdRange {
  const tables = readIdTables({
    subuid: readTextFile('/etc/subuid'),
    subgid: readTextFile('/etc/subgid'),
    passwd: readTextFile('/etc/passwd'),
    group: readTextFile('/etc/group'),
  });
  const reserved = new Set(linksIn(dir).map(({ first }) => first));
  const active = activeUsers();
  const isTaken = ({ first, count }: IdRange): boolean =>
    [...reserved].some((other) => Math.abs(other - first) < rangeSize) ||
    active.some((uid) => uid >= first && uid < first + count);
  // Ids are random, so that ranges of pods are, too: files that outlive a pod are not soon those of another.
  const start = Number.parseInt(podId.slice(0, 8), 16);
  const range = chooseRange(tables, { start, isTaken });
  if (range === undefined) {
    const message = `no range of ${rangeSize} users is free for pod ${podId}`;
    throw new Stage1Error('ERR_RKT_STAGE1_USER_NAMESPACE_UNAVAILABLE', message);
  }
  symlinkSync(podId, join(dir, String(range.first)));
  return range;
}

/** Whoever runs on this host, other data directories' pods and other programs' containers included. */
function activeUsers(): readonly number[] {
  const uids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid ?? []);
  return [...new Set(uids)];
}

interface RangeLink {
  readonly path: string;
  readonly first: number;
  readonly owner: PodId;
}

function linksIn(dir: string): readonly RangeLink[] {
  return namesIn(dir).flatMap((name) => {
    const path = join(dir, name);
    const owner = /^\d{1,10}$/.test(name) ? linkTarget(path) : undefined;
    return owner !== undefined && isPodId(owner) ? [{ path, first: Number(name), owner }] : [];
  });
}

function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}

/** Undefined when it has just been released. */
function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EINVAL')) return undefined;
    throw error;
  }
}

/** A reservation takes milliseconds. */
const patienceMs = 10_000;

interface Lock {
  readonly dir: string;
  readonly signal: AbortSignal | undefined;
}

/** One at a time, or what one takes another could release. */
async function locked<T>(host: Host, { dir, signal }: Lock, work: () => T): Promise<T> {
  const { syscalls } = await host.kernel();
  const lock = openSync(join(dir, 'lock'), 'a', 0o600);
  try {
    if (await eventually(() => syscalls.flock(lock, 'exclusive'), patienceMs, signal)) return work();
    const message = `ranges of users are being reserved by another process for more than ${patienceMs / 1000} s`;
    throw new Stage1Error('ERR_RKT_STAGE1_USER_NAMESPACE_UNAVAILABLE', message);
  } finally {
    closeSync(lock);
  }
}
