// SPDX-License-Identifier: Apache-2.0
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../../host/index.ts';
import { appPaths } from '../../mounts/index.ts';
import { podCgroup } from '../../pod/index.ts';
import type { Listeners } from '../../runtime.ts';
import type { AppContext } from '../flavor.ts';
import { checkExecutable } from '../image/check-executable.ts';
import { inRootfs } from '../image/image-files.ts';
import { writeBundle } from './bundle.ts';
import { type RuntimePlace, runtimePlace } from './runtime-command.ts';

/** A bundle that can be started. */
export interface ReadyBundle {
  readonly executable: string;
  readonly bundle: string;
  readonly pidFile: string;
  readonly place: RuntimePlace;
  /** Whom of the host the app runs as. */
  readonly owner: { readonly uid: number; readonly gid: number };
}

export interface ReadyOptions {
  readonly terminal: boolean;
  readonly listeners?: Listeners | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Writes the configuration of an app, refuses what cannot be executed, and has the pod's cgroup ready. */
export async function readyBundle(host: Host, context: AppContext, options: ReadyOptions): Promise<ReadyBundle> {
  const { pod, app } = context;
  const spec = await writeBundle(host, context, options);
  options.signal?.throwIfAborted();
  const executable = app.app.exec[0] ?? '';
  const { env, cwd, user } = spec.process;
  const first = pod.users?.first ?? 0;
  const covered = spec.mounts.map(({ destination }) => destination);
  await inRootfs(host, context, (syscalls, root) => checkExecutable(syscalls, root, { executable, env, cwd, covered }));
  host.cgroups.make(podCgroup(pod.id));
  const { base, bundle } = appPaths(app.name);
  const place = runtimePlace(pod.dir, app.name);
  const pidFile = join(pod.dir, base, 'pid');
  rmSync(pidFile, { force: true });
  rmSync(place.log, { force: true });
  return {
    executable,
    bundle: join(pod.dir, bundle),
    pidFile,
    place,
    owner: { uid: first + user.uid, gid: first + user.gid },
  };
}
