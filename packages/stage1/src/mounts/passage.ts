// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { Syscalls } from '../host/index.ts';

/**
 * Where the root of a pod with users of its own finds root filesystems: the way through the data directory is not open to
 * it, and need not be. An empty directory every kernel has, covered in the pod's mount namespace alone, so that nothing is
 * made or changed on the host, and no volume has it as its source.
 */
export const passage = '/proc/fs/nfsd';

export function passageTo(app: string): string {
  return join(passage, app);
}

/** Everybody may pass through it, nobody but root may look. To be called in a mount namespace of a pod. */
export function mountPassage(syscalls: Syscalls): void {
  syscalls.mountTmpfs({ target: passage, options: ['mode=0711', 'size=64k'], readOnly: false });
}
