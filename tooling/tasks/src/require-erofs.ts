// SPDX-License-Identifier: Apache-2.0
import { probeErofs } from '@rkt/store';

/** Ends this process with one line when the kernel cannot mount EROFS from files: `rkt` does without, its tests cannot. */
export async function requireErofs(dir: string): Promise<void> {
  const support = await probeErofs(dir);
  if (support.usable) return;
  process.stderr.write(`test: needs a kernel that mounts EROFS from files, Linux 6.12 or later: ${support.reason}\n`);
  process.exit(1);
}
