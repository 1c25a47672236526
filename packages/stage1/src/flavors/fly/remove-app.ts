// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { Stage1Error } from '../../error.ts';
import { type Host, type ProcessIdentity, type Syscalls, SystemCallError } from '../../host/index.ts';
import { appPaths } from '../../mounts/index.ts';
import type { AppRemains } from '../flavor.ts';
import { endProcesses } from './end-processes.ts';

/**
 * Ends what is left of an app, and takes away what the flavor has mounted for it.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_CLEANUP_FAILED
 */
export async function removeApp(host: Host, { podId, dir, app, inside }: AppRemains): Promise<void> {
  const rootfs = join(dir, appPaths(app).rootfs);
  const left = await endProcesses(host, rootfs);
  if (left.length > 0) {
    const message = `processes of app "${app}" of pod ${podId} do not end: ${left.join(', ')}`;
    throw new Stage1Error('ERR_RKT_STAGE1_CLEANUP_FAILED', message);
  }
  if (inside !== undefined) await unmountPlaces(host, inside, rootfs);
}

/** With everything that is mounted below them; a read-only root filesystem is mounted twice. */
async function unmountPlaces(host: Host, inside: ProcessIdentity, rootfs: string): Promise<void> {
  const { syscalls, namespaces } = await host.kernel();
  namespaces.inMount(`/proc/${inside.pid}/ns/mnt`, () => {
    while (unmounted(syscalls, rootfs));
  });
}

function unmounted(syscalls: Syscalls, target: string): boolean {
  try {
    syscalls.unmount(target);
    return true;
  } catch (error) {
    if (error instanceof SystemCallError && ['EINVAL', 'ENOENT'].includes(error.code)) return false;
    throw error;
  }
}
