// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { Membership } from '../kill-members.ts';
import type { PodId } from '../runtime.ts';

/** What all cgroups of a pod are below, relative to the root of every hierarchy. */
export function podCgroup(id: PodId): string {
  return join('rkt', id);
}

/** What an app's first process is born in. */
export function appCgroup(id: PodId, app: string): string {
  return join(podCgroup(id), app);
}

/** What is to be killed of an app. */
export function appMembers(id: PodId, app: string): Membership {
  return { cgroup: appCgroup(id, app), owner: `app "${app}" of pod ${id}` };
}
