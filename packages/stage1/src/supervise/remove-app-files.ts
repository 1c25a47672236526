// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RuntimeApp } from '@rkt/appc';
import { type RuntimeContext, requireFlavor, requireManifest, requireSandbox } from '../context.ts';
import { explained } from '../explained.ts';
import { healthCgroup, healthMembers } from '../health/watch-health.ts';
import { type ProcessIdentity, type Syscalls, SystemCallError } from '../host/index.ts';
import { killMembers } from '../kill-members.ts';
import { appPaths, passageTo, removeTree, volumeMounts } from '../mounts/index.ts';
import type { PodLocation } from '../pod/index.ts';

interface AppRemoval {
  readonly app: RuntimeApp;
  readonly holder: ProcessIdentity;
}

/**
 * Whatever there is of an app that does not run, however far its addition came: runtime state, mounts, files. Idempotent. While
 * a process of it does not end nothing of the files is touched.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_CLEANUP_FAILED
 */
export async function removeAppFiles(
  context: RuntimeContext,
  location: PodLocation,
  { app, holder }: AppRemoval,
): Promise<void> {
  const { host } = context;
  const { id, dir } = location;
  const { name } = app;
  const paths = appPaths(name);
  if (!existsSync(join(dir, paths.base)) && !existsSync(join(dir, 'overlay', name))) return;
  const { flavor, users } = requireSandbox(context, location);
  // It would sleep until its next check otherwise.
  await killMembers(host, healthMembers(id, name));
  host.cgroups.remove(healthCgroup(id, name));
  await requireFlavor(context, flavor).remove(host, { podId: id, dir, app: name, inside: holder });
  const { syscalls, namespaces } = await host.kernel();
  namespaces.inMount(`/proc/${holder.pid}/ns/mnt`, () => {
    process.chdir(dir);
    const volumes = volumeMounts(dir, requireManifest(location), app);
    const bound = volumes.map(({ source }) => source).filter((source) => source.includes(`/${paths.volumes}/`));
    const passages = users === undefined ? [] : [passageTo(name)];
    for (const target of [...passages, paths.rootfs, paths.lower, ...bound]) {
      explained(`cannot unmount ${target} of app "${name}"`, () => unmounted(syscalls, target));
    }
  });
  for (const path of [paths.base, join('overlay', name), ...ownVolumes(dir, name)]) {
    await removeTree(host, join(dir, path));
  }
}

/** Those that nobody supplied; no name of an app has a dot. */
function ownVolumes(dir: string, app: string): readonly string[] {
  const volumes = join(dir, 'volumes');
  const names = existsSync(volumes) ? readdirSync(volumes) : [];
  return names.filter((name) => name.startsWith(`${app}.`)).map((name) => join('volumes', name));
}

/** Nothing is mounted where the addition of the app did not come that far. */
function unmounted(syscalls: Syscalls, target: string): void {
  try {
    syscalls.unmount(target);
  } catch (error) {
    if (!(error instanceof SystemCallError && ['EINVAL', 'ENOENT'].includes(error.code))) throw error;
  }
}
