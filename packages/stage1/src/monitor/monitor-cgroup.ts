// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../host/index.ts';

/**
 * Where monitors are, and what they execute, with every cgroup of the pods: neither the end of the service or session that
 * started a pod ends them, nor the end of the pod, which they outlive by what there is to be done then.
 */
export const monitorCgroup = 'rkt/monitors';

/**
 * What a monitor executes leaves at its end, with the monitor that waits for it, so that the last one can take the cgroup
 * away. Of other processes nothing changes.
 */
export function leaveMonitors({ cgroups }: Host): void {
  cgroups.leave(monitorCgroup, [process.pid, process.ppid]);
  cgroups.remove(monitorCgroup);
}
