// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../../host/index.ts';
import { pause } from '../../pause.ts';

const attempts = 500;
const intervalMs = 10;

/**
 * Kills what an app has started, and what was entered with: every process whose root directory is the app's. No process has
 * that path by chance, for the pod's id is in it. Again and again: what is killed may have started another before.
 *
 * @returns the pids of what does not end within five seconds
 */
export async function endProcesses(host: Host, rootfs: string): Promise<readonly number[]> {
  const { processes } = host;
  let members = processes.rootedBelow(rootfs);
  for (let attempt = 0; members.length > 0 && attempt < attempts; attempt += 1) {
    for (const pid of members) {
      const identity = processes.identify(pid);
      if (identity !== undefined) processes.signal(identity, 'SIGKILL');
    }
    await pause(intervalMs, undefined);
    members = processes.rootedBelow(rootfs);
  }
  return members;
}
