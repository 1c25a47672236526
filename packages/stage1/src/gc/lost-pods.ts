// SPDX-License-Identifier: Apache-2.0
import type { RuntimeContext } from '../context.ts';
import type { ProcessIdentity } from '../host/index.ts';
import { monitorCgroup } from '../monitor/index.ts';
import { isPodId, podCgroup } from '../pod/index.ts';
import type { AbortOptions, GcEvent, PodId } from '../runtime.ts';
import { emptyCgroup, initCgroup } from '../sandbox/index.ts';

/**
 * Pods whose directory is gone and of which there is something all the same: networks hold something for them, or a monitor
 * has their lock. A pod has its directory before it has either, and for longer, unless somebody took it away.
 */
export async function lostPods(context: RuntimeContext): Promise<readonly PodId[]> {
  const { host, networking, pods, owned } = context;
  const monitored = host.cgroups.processes(monitorCgroup).flatMap((pid) => {
    return pods.locksAmong(host.processes.openFiles(pid)).flatMap(({ id, lost }) => (lost ? [id] : []));
  });
  const ids = new Set([...(await networking.remembered()), ...monitored]);
  // Of a file that somebody else has put there the name is none, and would be the name of a cgroup.
  return [...ids].filter((id) => isPodId(id) && !owned.has(id) && pods.lacks(id));
}

/**
 * Gives back what is held for such a pod. What runs of it is ended where a monitor is the only one to have its lock, and that
 * lock was ours: nobody could stop it any more. Everything else that runs is left alone, with its network. It may be somebody's
 * foreground, or a pod of the data directory of which ours is a copy.
 */
export async function releaseLost(
  context: RuntimeContext,
  id: PodId,
  { signal }: AbortOptions,
): Promise<GcEvent | undefined> {
  const { host, networking } = context;
  const holders = lockHolders(context, id);
  if (holders.some(({ isOurs }) => !isOurs)) return { kind: 'kept', id, reason: 'running' };
  for (const { identity } of holders) host.processes.signal(identity, 'SIGKILL');
  const cgroup = podCgroup(id);
  if (holders.length > 0) await emptyCgroup(context, id);
  else if (hasApps(context, id)) return { kind: 'kept', id, reason: 'running' };
  else await emptyCgroup(context, id);
  host.cgroups.remove(cgroup);
  await networking.teardown({ podId: id, saved: [], thorough: true, ...(signal && { signal }) });
  return { kind: 'removed', id };
}

/** The first process of a PID namespace is none, and goes on when they have ended. */
function hasApps({ host }: RuntimeContext, id: PodId): boolean {
  const init = host.cgroups.processes(initCgroup(id));
  return host.cgroups.processes(podCgroup(id)).some((pid) => !init.includes(pid));
}

interface LockHolder {
  readonly identity: ProcessIdentity;
  /** A monitor, or what keeps a sandbox, with a lock of this data directory that has been taken away. */
  readonly isOurs: boolean;
}

function lockHolders({ host, pods }: RuntimeContext, id: PodId): readonly LockHolder[] {
  const { cgroups, processes } = host;
  const monitors = new Set(cgroups.processes(monitorCgroup));
  return processes.all().flatMap((pid) => {
    // Before its files are looked at: a later process of the same number has others.
    const identity = processes.identify(pid);
    const locks = pods.locksAmong(processes.openFiles(pid)).filter((lock) => lock.id === id);
    if (identity === undefined || locks.length === 0) return [];
    return [{ identity, isOurs: monitors.has(pid) && locks.every(({ lost }) => lost) }];
  });
}
