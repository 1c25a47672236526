// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { RuntimeContext } from '../context.ts';
import { monitorCgroup } from '../monitor/index.ts';
import { isPodId } from '../pod/index.ts';
import type { AbortOptions, GcEvent, PodId } from '../runtime.ts';
import { emptyCgroup } from '../sandbox/index.ts';

/**
 * Pods whose directory is gone and of which there is something all the same: networks hold something for them, or a process
 * has their lock. A pod has its directory before it has either, and for longer, unless somebody took it away.
 */
export async function lostPods(context: RuntimeContext): Promise<readonly PodId[]> {
  const { networking, pods, owned } = context;
  const ids = new Set([...(await networking.remembered()), ...lockHolders(context).keys()]);
  // Of a file that somebody else has put there the name is none, and would be the name of a cgroup.
  return [...ids].filter((id) => isPodId(id) && pods.locate(id) === undefined && !owned.has(id));
}

/** Ends what runs of such a pod, which nobody can stop any more, and gives back what is held for it. */
export async function releaseLost(
  context: RuntimeContext,
  id: PodId,
  { signal }: AbortOptions,
): Promise<GcEvent | undefined> {
  const { host, networking } = context;
  for (const pid of lockHolders(context).get(id) ?? []) {
    const identity = host.processes.identify(pid);
    if (identity !== undefined) host.processes.signal(identity, 'SIGKILL');
  }
  await emptyCgroup(context, id);
  host.cgroups.remove(join('rkt', id));
  await networking.teardown({ podId: id, saved: [], thorough: true, ...(signal && { signal }) });
  return { kind: 'removed', id };
}

/** Monitors, and what keeps a sandbox, that hold a lock which is gone. */
function lockHolders({ host, pods }: RuntimeContext): ReadonlyMap<PodId, readonly number[]> {
  const holders = new Map<PodId, readonly number[]>();
  for (const pid of host.cgroups.processes(monitorCgroup)) {
    const id = pods.lostBy(host.processes.openFiles(pid));
    if (id !== undefined) holders.set(id, [...(holders.get(id) ?? []), pid]);
  }
  return holders;
}
