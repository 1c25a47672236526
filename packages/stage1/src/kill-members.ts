// SPDX-License-Identifier: Apache-2.0
import { eventually } from './eventually.ts';
import type { Host } from './host/index.ts';

const graceMs = 5_000;
/** So often without anybody being stopped meanwhile, which takes about 100 ms. */
const plainAttempts = 20;

/**
 * Kills whatever is in a cgroup and those below it; again and again: what is killed may have started another before.
 *
 * @returns the pids of what does not end within five seconds
 */
export async function killMembers({ cgroups }: Host, cgroup: string): Promise<readonly number[]> {
  let members: readonly number[] = [];
  let attempts = 0;
  const isEmpty = (): boolean => {
    members = cgroups.processes(cgroup);
    if (members.length > 0) cgroups.kill(cgroup, { frozen: attempts >= plainAttempts });
    attempts += 1;
    return members.length === 0;
  };
  await eventually(isEmpty, graceMs);
  return members;
}
