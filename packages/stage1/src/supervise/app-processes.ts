// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { RuntimeContext } from '../context.ts';
import type { ProcessIdentity } from '../host/index.ts';
import { appPaths } from '../mounts/index.ts';
import { type PodLocation, records } from '../pod/index.ts';
import { orNothing } from '../sandbox/or-nothing.ts';
import { isRunning } from './is-running.ts';

/**
 * Processes of an app that live: the first one, with which the kernel ends the others. Where whoever started the app, or
 * started it again, died before writing that one down, or what was written is damaged, all that can be found, in the app's
 * cgroup or root directory.
 */
export function appProcesses(
  context: RuntimeContext,
  { id, dir }: PodLocation,
  app: string,
): readonly ProcessIdentity[] {
  const { cgroups, processes } = context.host;
  const record = orNothing(() => records.readApp(dir, app));
  if (record?.process !== undefined && isRunning(context, record)) return [record.process];
  const pids = [...cgroups.processes(join('rkt', id, app)), ...processes.rootedBelow(join(dir, appPaths(app).rootfs))];
  return [...new Set(pids)].flatMap((pid) => processes.identify(pid) ?? []);
}

/** Whether an app of a pod lives, watched by somebody or not. */
export function hasLivingApp(context: RuntimeContext, location: PodLocation): boolean {
  const apps = orNothing(() => records.readManifest(location.dir))?.apps ?? [];
  return apps.some(({ name }) => appProcesses(context, location, name).length > 0);
}
