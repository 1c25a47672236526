// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type RuntimeContext, requireFlavor } from '../context.ts';
import { isStage1Error } from '../error.ts';
import { killMembers } from '../kill-members.ts';
import { monitorCgroup } from '../monitor/index.ts';
import { hasCode, type PodLocation, podCgroup, type RunRecord, records } from '../pod/index.ts';
import { awaitStatus } from './await-status.ts';
import { orNothing } from './or-nothing.ts';

/**
 * Undoes everything a sandbox means to the host, whoever made it and however far it came: processes, runtime state,
 * networks, namespaces, cgroups, and the lock when it is ours. Idempotent. Everything is tried before the first failure is
 * reported.
 */
export async function releaseSandbox(context: RuntimeContext, location: PodLocation): Promise<void> {
  const { host, owned } = context;
  const { id, dir } = location;
  const run = orNothing(() => records.readRun(dir));
  if (run?.ended !== undefined && !owned.has(id)) return;
  const failures: unknown[] = [];
  const attempt = (work: Promise<void>): Promise<unknown> => work.catch((error: unknown) => failures.push(error));
  for (const app of startedApps(dir)) await attempt(removeRemains(context, location, { app, run }));
  await attempt(emptyCgroup(context, id));
  if (!run?.hostNetwork) await attempt(releaseNetworks(context, id, run));
  for (const identity of run === undefined ? [] : [run.init, run.holder]) {
    // The first, where it could enter no cgroup, is there still.
    if (identity !== undefined) host.processes.signal(identity, 'SIGKILL');
  }
  const sandbox = owned.get(id);
  if (sandbox !== undefined) {
    sandbox.holder.ref();
    sandbox.holder.signal('SIGKILL');
    await sandbox.holder.exit;
  }
  // Of monitors that were killed; while there are others it stays.
  host.cgroups.remove(monitorCgroup);
  host.cgroups.remove(podCgroup(id));
  if (run !== undefined && failures.length === 0) writeEnd(dir, run);
  owned.delete(id);
  sandbox?.pod.release();
  if (failures.length > 0) throw failures[0];
}

/** Not while the end of an app has yet to be written by whoever started it; the pod does without, then. */
function writeEnd(dir: string, run: RunRecord): void {
  try {
    const apps = startedApps(dir).flatMap((app) => {
      const record = records.readApp(dir, app);
      return record === undefined ? [] : [[app, record] as const];
    });
    const manifest = records.readManifest(dir);
    const known = apps.every(([, { startedAt, finishedAt }]) => startedAt === undefined || finishedAt !== undefined);
    if (!known || manifest === undefined) return;
    records.writeRun(dir, { ...run, ended: { manifest, apps: Object.fromEntries(apps) } });
  } catch (error) {
    // A pod whose lock another has may be moved; a damaged record or a full disk keeps nobody from stopping a pod.
    if (!isStage1Error(error) && !hasCode(error, 'ENOENT', 'ENOSPC', 'EDQUOT')) throw error;
  }
}

function startedApps(dir: string): readonly string[] {
  const apps = join(dir, 'apps');
  return existsSync(apps) ? readdirSync(apps) : [];
}

interface Remains {
  readonly app: string;
  readonly run: RunRecord | undefined;
}

async function removeRemains(context: RuntimeContext, location: PodLocation, { app, run }: Remains): Promise<void> {
  const { host } = context;
  const { id, dir } = location;
  if (orNothing(() => records.readApp(dir, app)) !== undefined) await awaitStatus(context, location, app);
  const record = orNothing(() => records.readApp(dir, app));
  for (const identity of [record?.process, record?.monitor]) {
    if (identity !== undefined && record?.exitCode === undefined) host.processes.signal(identity, 'SIGKILL');
  }
  // Where nobody knows which one it was, each looks for what is its own.
  const flavors = run === undefined ? context.flavors : [requireFlavor(context, run.flavor)];
  for (const flavor of flavors) await flavor.remove(host, { podId: id, dir, app, inside: undefined });
}

/** Whatever a cgroup of the pod still has is the pod's, known to a record or not. Occupied cgroups cannot be removed. */
export async function emptyCgroup({ host }: RuntimeContext, id: string): Promise<void> {
  await killMembers(host, { cgroup: podCgroup(id), owner: `pod ${id}` });
}

/** Without our own record there is still the one the networks keep of what they have to undo. */
async function releaseNetworks(
  { host, networking }: RuntimeContext,
  id: string,
  run: RunRecord | undefined,
): Promise<void> {
  const netnsPath = run && host.processes.isAlive(run.holder) ? `/proc/${run.holder.pid}/ns/net` : undefined;
  await networking.teardown({ podId: id, saved: run?.networks ?? [], ...(netnsPath !== undefined && { netnsPath }) });
}
