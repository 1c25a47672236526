// SPDX-License-Identifier: Apache-2.0
import type { RuntimeContext } from '../context.ts';
import type { ProcessIdentity } from '../host/index.ts';
import { type PodLocation, records } from '../pod/index.ts';
import { orNothing } from '../sandbox/or-nothing.ts';
import { isRunning } from './is-running.ts';

/**
 * Processes of an app that live: the first one, with which the kernel ends the others. Where whoever started the app, or
 * started it again, died before writing that one down, or what was written is damaged, all that its
 * flavor finds; each, where nobody knows which one it was.
 */
export function appProcesses(
  context: RuntimeContext,
  { id, dir }: PodLocation,
  app: string,
): readonly ProcessIdentity[] {
  const { host, flavors } = context;
  const record = orNothing(() => records.readApp(dir, app));
  if (record?.process !== undefined && isRunning(context, record)) return [record.process];
  const run = orNothing(() => records.readRun(dir));
  const own = flavors.filter(({ name }) => run === undefined || name === run.flavor);
  const pids = own.flatMap((flavor) => flavor.processes?.(host, { podId: id, dir, app, inside: undefined }) ?? []);
  return [...new Set(pids)].flatMap((pid) => host.processes.identify(pid) ?? []);
}

/** Whether an app of a pod lives, watched by somebody or not. */
export function hasLivingApp(context: RuntimeContext, location: PodLocation): boolean {
  const apps = orNothing(() => records.readManifest(location.dir))?.apps ?? [];
  return apps.some(({ name }) => appProcesses(context, location, name).length > 0);
}
