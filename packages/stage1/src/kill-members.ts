// SPDX-License-Identifier: Apache-2.0
import { isStage1Error, Stage1Error } from './error.ts';
import { eventually } from './eventually.ts';
import type { Host } from './host/index.ts';

const graceMs = 5_000;
/** So often without anybody being stopped meanwhile, which takes about 100 ms. */
const plainAttempts = 20;

export interface Membership {
  readonly cgroup: string;
  /** Whose processes they are, for people: `pod 1234`. */
  readonly owner: string;
}

/**
 * Kills whatever is in a cgroup and those below it; again and again: what is killed may have started another before.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_CLEANUP_FAILED naming the pids of what does not end within five seconds
 */
export async function killMembers({ cgroups }: Host, { cgroup, owner }: Membership): Promise<void> {
  let members: readonly number[] = [];
  let attempts = 0;
  const isEmpty = (): boolean => {
    members = cgroups.processes(cgroup);
    if (members.length > 0) cgroups.kill(cgroup, { frozen: attempts >= plainAttempts });
    attempts += 1;
    return members.length === 0;
  };
  if (await eventually(isEmpty, graceMs)) return;
  const message = `processes of ${owner} do not end: ${members.join(', ')}`;
  throw new Stage1Error('ERR_RKT_STAGE1_CLEANUP_FAILED', message);
}

/** To be caught with by whoever goes on all the same, since what they do is no worse for processes that do not end. */
export function ignoreSurvivors(error: unknown): void {
  if (!isStage1Error(error) || error.code !== 'ERR_RKT_STAGE1_CLEANUP_FAILED') throw error;
}
