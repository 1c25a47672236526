// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chosenApp, type RuntimeContext, requireApp, requirePod, requireRoot } from '../context.ts';
import { Stage1Error } from '../error.ts';
import { appPaths } from '../mounts/index.ts';
import { records } from '../pod/index.ts';
import type { SharedPod } from '../pod/pod-directory.ts';
import type { AppFiles, OpenAppFilesOptions, PodId } from '../runtime.ts';
import { hasLivingApp } from './app-processes.ts';
import { takeEnded } from './take-ended.ts';

/** See {@link Runtime.openAppFiles}. */
export async function openAppFiles(
  context: RuntimeContext,
  id: PodId,
  { app, signal }: OpenAppFilesOptions = {},
): Promise<AppFiles> {
  signal?.throwIfAborted();
  requireRoot(context);
  // Before it is waited for: that there is no such app is no matter of who has the pod.
  const name = chosenApp(requirePod(context, id), app);
  const pod = await shareEnded(context, id, signal);
  try {
    return filesOf(context, pod, name);
  } catch (error) {
    pod[Symbol.dispose]();
    throw error;
  }
}

/** `gc` may be moving it to the garbage just now: a second look finds it there. */
async function shareEnded(context: RuntimeContext, id: PodId, signal: AbortSignal | undefined): Promise<SharedPod> {
  const { syscalls } = await context.host.kernel();
  for (const _ of ['first', 'second']) {
    const location = requirePod(context, id);
    const pod = await takeEnded(context, location, (wait) =>
      context.pods.share(location, { syscalls, signal, ...wait }),
    );
    if (pod !== undefined) return pod;
    if (existsSync(location.dir)) break;
  }
  throw running(id);
}

function filesOf(context: RuntimeContext, pod: SharedPod, name: string): AppFiles {
  const { location } = pod;
  const { id, stage, dir } = location;
  const run = stage === 'run' || stage === 'exited-garbage' ? records.readRun(dir) : undefined;
  if (stage === 'run' && run?.ended === undefined && hasLivingApp(context, location)) throw running(id);
  const upperDir = join(dir, appPaths(name).upper);
  if (run === undefined || !existsSync(upperDir)) {
    throw new Stage1Error('ERR_RKT_STAGE1_APP_NOT_ADDED', `app "${name}" of pod ${id} has not run: it has no files`);
  }
  const { image } = requireApp(location, name);
  return { app: name, imageId: image.id, upperDir, users: run.users, [Symbol.dispose]: () => pod[Symbol.dispose]() };
}

function running(id: PodId): Stage1Error {
  return new Stage1Error('ERR_RKT_STAGE1_POD_RUNNING', `pod ${id} is running or being worked on`);
}
