// SPDX-License-Identifier: Apache-2.0

import { closeSync, constants, mkdirSync, openSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PodManifest, RuntimeApp, Volume } from '@rkt/appc';
import { Stage1Error } from '../error.ts';
import { explained } from '../explained.ts';
import { type Host, type Kernel, SystemCallError } from '../host/index.ts';
import type { IdRange, OciMount } from '../oci-spec/index.ts';
import { quote } from '../quote.ts';
import type { RootfsSource } from '../runtime.ts';
import { type AppPaths, appPaths } from './app-paths.ts';
import { closeSeed, makeEmptyVolume, openSeed, type VolumeSeed } from './empty-volume.ts';
import { passageTo } from './passage.ts';
import { type PlannedMount, planVolumes } from './plan-volumes.ts';
import { mountRootfs } from './rootfs.ts';

export interface PodUsers extends IdRange {
  /** Path of the pod's user namespace. */
  readonly userNamespace: string;
}

export interface MountAppOptions {
  readonly podDir: string;
  readonly manifest: PodManifest;
  readonly app: RuntimeApp;
  readonly rootfs: RootfsSource;
  /** Path of the pod's mount namespace. */
  readonly mountNamespace: string;
  /** Absent: the host's. */
  readonly users?: PodUsers | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Mounts an app's root filesystem and host volumes in its pod's mount namespace, where nobody else sees them, and makes
 * its empty volumes.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_MOUNT_FAILED, ERR_RKT_STAGE1_VOLUME_NOT_FOUND, ERR_RKT_STAGE1_VOLUME_SOURCE_MISSING
 */
export async function mountApp(host: Host, options: MountAppOptions): Promise<void> {
  const { podDir, manifest, app } = options;
  const plan = planVolumes(manifest, app);
  const paths = appPaths(app.name);
  for (const path of [paths.rootfs, paths.lower, paths.upper, paths.work, paths.volumes, 'volumes']) {
    mkdirSync(join(podDir, path), { recursive: true });
  }
  const kernel = await host.kernel();
  const what = `cannot mount image ${quote(app.image.name ?? app.image.id)} of app ${quote(app.name)}`;
  const seeds = explained(what, () => mountInNamespace(kernel, options, { plan, paths }));
  try {
    for (const [index, { volume, directory }] of plan.entries()) {
      options.signal?.throwIfAborted();
      if (volume.kind !== 'empty') continue;
      await makeEmptyVolume(host, join(podDir, 'volumes', directory), {
        volume,
        seed: seeds[index],
        firstId: options.users?.first ?? 0,
      });
    }
  } finally {
    for (const seed of seeds) closeSeed(seed);
  }
}

/** The volumes of a mounted app, as its runtime is to mount them: it resolves the places inside of the root filesystem. */
export function volumeMounts(podDir: string, manifest: PodManifest, app: RuntimeApp): readonly OciMount[] {
  const paths = appPaths(app.name);
  return planVolumes(manifest, app).map(({ destination, volume, readOnly, directory }, index) => {
    if (volume.kind === 'tmpfs') return tmpfs(destination, volume, readOnly);
    const source = volume.kind === 'host' ? join(paths.volumes, String(index)) : join('volumes', directory);
    const options = ['rbind', 'rprivate', readOnly ? 'ro' : 'rw'];
    return { destination, type: 'bind', source: join(podDir, source), options };
  });
}

function tmpfs(destination: string, { mode, uid, gid }: Volume, readOnly: boolean): OciMount {
  const attributes = [`mode=${mode ?? '1777'}`, ...(uid ? [`uid=${uid}`] : []), ...(gid ? [`gid=${gid}`] : [])];
  const options = ['nosuid', 'nodev', readOnly ? 'ro' : 'rw', ...attributes];
  return { destination, type: 'tmpfs', source: 'tmpfs', options };
}

interface MountPlan {
  readonly plan: readonly PlannedMount[];
  readonly paths: AppPaths;
}

/** @returns for each planned mount the directory of the image it starts with, if any */
function mountInNamespace(
  { syscalls, namespaces }: Kernel,
  { podDir, app, rootfs, mountNamespace, users }: MountAppOptions,
  { plan, paths }: MountPlan,
): readonly (VolumeSeed | undefined)[] {
  return namespaces.inMount(mountNamespace, () => {
    process.chdir(podDir);
    mountRootfs(syscalls, { source: rootfs, paths, userNamespace: users?.userNamespace });
    if (users !== undefined) openPassage(syscalls, paths, app.name);
    for (const [index, mount] of plan.entries()) {
      if (mount.volume.kind === 'host') bindHostVolume(syscalls, mount, join(paths.volumes, String(index)));
    }
    const root = openSync(paths.rootfs, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      return plan.map(({ volume, destination }) =>
        volume.kind === 'empty' ? openSeed(syscalls, root, destination) : undefined,
      );
    } finally {
      closeSync(root);
    }
  });
}

function openPassage(syscalls: Kernel['syscalls'], { rootfs }: AppPaths, app: string): void {
  const target = passageTo(app);
  mkdirSync(target, { recursive: true });
  syscalls.mountBind({ source: rootfs, target, recursive: false, readOnly: false });
}

function bindHostVolume(syscalls: Kernel['syscalls'], { volume, readOnly }: PlannedMount, target: string): void {
  const source = volume.source ?? '';
  const found = statSync(source, { throwIfNoEntry: false });
  if (found === undefined) {
    const message = `source ${quote(source, 400)} of volume ${quote(volume.name)} does not exist`;
    throw new Stage1Error('ERR_RKT_STAGE1_VOLUME_SOURCE_MISSING', message);
  }
  if (found.isDirectory()) mkdirSync(target, { recursive: true });
  else writeFileSync(target, '');
  try {
    syscalls.mountBind({ source, target, recursive: volume.recursive ?? true, readOnly });
  } catch (error) {
    const reason = error instanceof SystemCallError ? error.code : String(error);
    const message = `cannot mount source ${quote(source, 400)} of volume ${quote(volume.name)}: ${reason}`;
    throw new Stage1Error('ERR_RKT_STAGE1_MOUNT_FAILED', message, { cause: error });
  }
}
