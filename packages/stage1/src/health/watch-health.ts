// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { eventually } from '../eventually.ts';
import type { Host } from '../host/index.ts';
import { ignoreSurvivors, killMembers, type Membership } from '../kill-members.ts';
import { podCgroup } from '../pod/index.ts';
import type { PodId } from '../runtime.ts';
import type { HealthCheck } from './health-check.ts';

export interface HealthWatch {
  readonly podId: PodId;
  readonly app: string;
  readonly check: HealthCheck;
  /** Executed for every check, until its status is 3. */
  readonly command: readonly string[];
}

export function healthCgroup(podId: PodId, app: string): string {
  return join(podCgroup(podId), `health.${app}`);
}

export function healthMembers(podId: PodId, app: string): Membership {
  return { cgroup: healthCgroup(podId, app), owner: `the health check of app "${app}" of pod ${podId}` };
}

/**
 * A shell that has an app checked again and again: more often at first, if the check has a start period. Nothing larger
 * stays between two checks. It ends with the first check that says the app has ended (status 3); and as it is in a cgroup of the pod's, it
 * ends with the pod. Resolves when it is there: it would make the cgroup of a pod that ends at once anew, when that is gone.
 */
export async function watchHealth(host: Host, { podId, app, check, command }: HealthWatch): Promise<void> {
  const { intervalMs, startPeriodMs, startIntervalMs } = check;
  const first = startPeriodMs === 0 ? 0 : Math.ceil(startPeriodMs / startIntervalMs);
  const seconds = [startIntervalMs, intervalMs].map((ms) => String(ms / 1_000));
  const loop = ['/bin/sh', '-c', script, 'sh', String(first), ...seconds, ...command];
  const cgroup = healthCgroup(podId, app);
  // One of the app's last run may not have found out yet that it ended. The app has been started, whatever becomes of that.
  await killMembers(host, healthMembers(podId, app)).catch(ignoreSurvivors);
  const [file = '', ...args] = host.cgroups.within(cgroup, loop);
  const child = host.processes.spawn({ file, args, cwd: '/', stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  await Promise.race([child.exit.catch(() => undefined), eventually(() => child.errorOutput() !== '', patienceMs)]);
  child.unref();
}

/** How long a shell may take to start, on a machine that has much else to do. */
const patienceMs = 5_000;

/** Arguments: how many checks come first, the seconds before each of them, those before each later one, the command. */
const script = `echo watching >&2
exec 2>/dev/null
first=$1 early=$2 later=$3
shift 3
while :; do
  if [ "$first" -gt 0 ]; then first=$((first - 1)); sleep "$early"; else sleep "$later"; fi
  "$@"
  [ $? -ne 3 ] || exit 0
done`;
