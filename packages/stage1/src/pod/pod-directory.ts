// SPDX-License-Identifier: Apache-2.0
import {
  closeSync,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { Stage1Error } from '../error.ts';
import type { Syscalls } from '../host/index.ts';
import { pause } from '../pause.ts';
import { quote } from '../quote.ts';
import type { PodId } from '../runtime.ts';
import { hasCode, syncDirectory } from './files.ts';
import { isPodId, isPodIdPrefix } from './pod-id.ts';
import { mayMove, type PodStage, podStages, visibleStages } from './states.ts';

/** Where a pod is at the moment of looking: another process may move it right after. */
export interface PodLocation {
  readonly id: PodId;
  readonly stage: PodStage;
  readonly dir: string;
}

/** A pod that is ours: nobody else moves it, runs it or deletes it. */
export interface OwnedPod {
  readonly id: PodId;
  readonly stage: PodStage;
  readonly dir: string;
  /** Who inherits this descriptor holds the lock, too. */
  readonly lockFd: number;
  /** One rename. */
  moveTo(stage: PodStage, options?: MoveOptions): void;
  /** Idempotent. */
  release(): void;
}

export interface MoveOptions {
  /**
   * Whether the move must survive a power cut. Without, the worst one does is to undo the move, which matters neither to a
   * pod that is garbage before and after, nor to one that is removed when it has ended.
   */
  readonly durable: boolean;
}

/** The lock of a pod, of this data directory or another one, that a process has open. */
export interface HeldLock {
  readonly id: PodId;
  /** It is ours, and has been taken away. */
  readonly lost: boolean;
}

export interface PodDirectory {
  /** @throws what a file system answers that cannot say whether it is there */
  locate(id: PodId): PodLocation | undefined;
  /**
   * Whether it is sure that there is no such pod. Where the directory of pods that run is missing nothing is: the disk they
   * are on may not be mounted.
   */
  lacks(id: PodId): boolean;
  /** In no order. */
  list(stages: readonly PodStage[]): readonly PodLocation[];
  /** @throws Stage1Error ERR_RKT_STAGE1_POD_NOT_FOUND, ERR_RKT_STAGE1_AMBIGUOUS_POD_ID */
  resolve(prefix: string): PodId;
  /** A new pod, an embryo. */
  create(id: PodId, syscalls: Syscalls): OwnedPod;
  isLocked(location: PodLocation, syscalls: Syscalls): boolean;
  /** Of the files a process has open, as the kernel calls them. */
  locksAmong(openFiles: readonly string[]): readonly HeldLock[];
  /** Undefined when somebody else has it for longer than `waitMs`, or it is not there any more. */
  own(location: PodLocation, options: OwnOptions): Promise<OwnedPod | undefined>;
  /** The same together with others who read it: nobody owns it meanwhile, so that it stays what and where it is. */
  share(location: PodLocation, options: OwnOptions): Promise<SharedPod | undefined>;
}

/** A pod that is read. To whoever only asks it is not locked. */
export interface SharedPod extends Disposable {
  readonly location: PodLocation;
}

export interface OwnOptions {
  readonly syscalls: Syscalls;
  /** A reader that looks whether the pod is locked holds it for an instant; less than a few ms is too little. @default 100 */
  readonly waitMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** A file, not the directory itself: should a runtime ever leak the descriptor, nothing of the host is reached through it. */
const lockName = 'lock';

export function openPodDirectory(dataDir: string): PodDirectory {
  const root = join(dataDir, 'pods');
  const pathOf = (stage: PodStage, id: PodId): string => join(root, stage, id);
  const list = (stages: readonly PodStage[]): readonly PodLocation[] =>
    stages.flatMap((stage) => idsIn(join(root, stage)).map((id) => ({ id, stage, dir: pathOf(stage, id) })));
  const locate = (id: PodId): PodLocation | undefined => {
    const stage = podStages.find((candidate) => isThere(pathOf(candidate, id)));
    return stage && { id, stage, dir: pathOf(stage, id) };
  };
  return {
    locate,
    lacks: (id) => locate(id) === undefined && isThere(join(root, 'run')),
    list,
    resolve: (prefix) => resolvePrefix(prefix, new Set(list(visibleStages).map(({ id }) => id))),
    create: (id, syscalls) => {
      for (const stage of podStages) mkdirSync(join(root, stage), { recursive: true, mode: 0o700 });
      mkdirSync(pathOf('embryo', id), { mode: 0o700 });
      writeFileSync(join(pathOf('embryo', id), lockName), '', { mode: 0o600 });
      const location: PodLocation = { id, stage: 'embryo', dir: pathOf('embryo', id) };
      const fd = tryLock(location, 'exclusive', syscalls);
      if (fd === undefined) throw new Error(`a pod just made is taken: ${id}`);
      return ownedPod(location, fd);
    },
    isLocked: ({ dir }, syscalls) => {
      const fd = openLock(dir);
      if (fd === undefined) return false;
      try {
        return !syscalls.flock(fd, 'shared');
      } finally {
        closeSync(fd);
      }
    },
    locksAmong: (openFiles) => {
      // The kernel follows links, of which the data directory may be one.
      const real = existsSync(root) ? realpathSync(root) : root;
      return openFiles.flatMap((path) => heldLock(real, path) ?? []);
    },
    own: async (location, { syscalls, waitMs = 100, signal }) => {
      const fd = await lockFile(location, 'exclusive', { syscalls, waitMs, signal });
      return fd === undefined ? undefined : ownedPod(location, fd);
    },
    share: async (location, { syscalls, waitMs = 100, signal }) => {
      const fd = await lockFile(location, 'shared', { syscalls, waitMs, signal });
      return fd === undefined ? undefined : { location, [Symbol.dispose]: () => closeSync(fd) };
    },
  };
}

function heldLock(root: string, path: string): HeldLock | undefined {
  const [, place, deleted] = new RegExp(`^(.*)/${lockName}( \\(deleted\\))?$`, 's').exec(path) ?? [];
  const id = place === undefined ? '' : basename(place);
  if (!isPodId(id)) return undefined;
  return { id, lost: deleted !== undefined && path.startsWith(`${root}/`) };
}

/** A disk that fails, and a directory that may not be looked into, say nothing of what is there. */
function isThere(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

function resolvePrefix(prefix: string, ids: ReadonlySet<PodId>): PodId {
  const text = prefix.toLowerCase();
  const matches = isPodIdPrefix(text) ? [...ids].filter((id) => id.startsWith(text)) : [];
  const [match] = matches;
  if (match === undefined) {
    throw new Stage1Error('ERR_RKT_STAGE1_POD_NOT_FOUND', `no pod has an id that begins with ${quote(prefix, 40)}`);
  }
  if (matches.length === 1) return match;
  const message = `ambiguous pod id ${quote(prefix, 40)}: ${matches.length} pods match`;
  throw new Stage1Error('ERR_RKT_STAGE1_AMBIGUOUS_POD_ID', message);
}

function idsIn(dir: string): readonly PodId[] {
  try {
    return readdirSync(dir).filter(isPodId);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}

function openLock(dir: string): number | undefined {
  try {
    return openSync(join(dir, lockName), 'r');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

type LockKind = 'shared' | 'exclusive';

function tryLock(location: PodLocation, kind: LockKind, syscalls: Syscalls): number | undefined {
  const fd = openLock(location.dir) ?? recreateLock(location);
  if (fd === undefined) return undefined;
  // The pod may have been moved between our look and the lock: then the path names another file, or none.
  if (syscalls.flock(fd, kind) && isSameFile(fd, join(location.dir, lockName))) return fd;
  closeSync(fd);
  return undefined;
}

async function lockFile(
  location: PodLocation,
  kind: LockKind,
  { syscalls, waitMs, signal }: OwnOptions & { readonly waitMs: number },
): Promise<number | undefined> {
  signal?.throwIfAborted();
  const fd = tryLock(location, kind, syscalls);
  if (fd !== undefined || waitMs <= 0) return fd;
  const end = performance.now() + waitMs;
  for (;;) {
    await pause(5, signal);
    const later = tryLock(location, kind, syscalls);
    if (later !== undefined || performance.now() >= end || !existsSync(location.dir)) return later;
  }
}

/** A crash between mkdir and the lock's creation, or in the middle of a deletion, leaves a directory without one. */
function recreateLock({ dir }: PodLocation): number | undefined {
  try {
    return openSync(join(dir, lockName), 'a', 0o600);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function isSameFile(fd: number, path: string): boolean {
  const named = statSync(path, { throwIfNoEntry: false });
  const ours = fstatSync(fd);
  return named !== undefined && ours.ino === named.ino && ours.dev === named.dev;
}

function ownedPod(location: PodLocation, lockFd: number): OwnedPod {
  let { stage, dir } = location;
  let held = true;
  return {
    id: location.id,
    lockFd,
    get stage() {
      return stage;
    },
    get dir() {
      return dir;
    },
    moveTo: (next, options) => {
      if (!mayMove(stage, next)) throw new RangeError(`a pod does not go from ${stage} to ${next}`);
      const target = join(dir, '..', '..', next, location.id);
      // Somebody may have tidied away a directory that was empty.
      mkdirSync(join(target, '..'), { recursive: true, mode: 0o700 });
      renameSync(dir, target);
      stage = next;
      dir = target;
      // The old parent need not be synced: until it is, the worst a power cut does is to undo the move.
      if (options?.durable) syncDirectory(join(target, '..'));
    },
    release: () => {
      if (held) closeSync(lockFd);
      held = false;
    },
  };
}
