// SPDX-License-Identifier: Apache-2.0
import { eventually } from './eventually.ts';
import type { Host } from './host/index.ts';

const graceMs = 5_000;

/** Kills whatever is in a cgroup and those below it. @returns the pids of what does not end within five seconds */
export async function killMembers(host: Host, cgroup: string): Promise<readonly number[]> {
  const members = (): readonly number[] => host.cgroups.processes(cgroup);
  for (const pid of members()) {
    const identity = host.processes.identify(pid);
    if (identity !== undefined) host.processes.signal(identity, 'SIGKILL');
  }
  await eventually(() => members().length === 0, graceMs);
  return members();
}
