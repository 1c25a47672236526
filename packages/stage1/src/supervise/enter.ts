// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, openSync } from 'node:fs';
import { chosenApp, type RuntimeContext, requireApp, requireFlavor, requirePod, requireRoot } from '../context.ts';
import { Stage1Error } from '../error.ts';
import type { Flavor } from '../flavors/flavor.ts';
import { type ProcessIdentity, SystemCallError } from '../host/index.ts';
import { records } from '../pod/index.ts';
import type { EnterOptions, PodId } from '../runtime.ts';
import { enterChanges } from './enter-changes.ts';
import { isRunning } from './is-running.ts';

export async function enter(context: RuntimeContext, id: PodId, options: EnterOptions): Promise<number> {
  options.signal?.throwIfAborted();
  requireRoot(context);
  const location = requirePod(context, id);
  const app = chosenApp(location, options.app);
  const record = records.readApp(location.dir, app);
  const run = records.readRun(location.dir);
  if (run === undefined || record?.process === undefined || !isRunning(context, record)) {
    throw new Stage1Error('ERR_RKT_STAGE1_APP_NOT_RUNNING', `app "${app}" of pod ${id} does not run`);
  }
  const flavor = requireFlavor(context, run.flavor);
  requireChanges(flavor, options);
  const command = options.command ?? (await defaultShell(context, record.process));
  // It ends with the process that made the sandbox, and the app may go on.
  const inside = context.host.processes.isAlive(run.holder) ? run.holder : undefined;
  const { tty, quiet, signal } = options;
  const section = requireApp(location, app).app;
  const changes = await enterChanges(
    context.host,
    { name: app, section, process: record.process, users: run.users },
    options,
  );
  const remains = { podId: id, dir: location.dir, app, inside };
  return flavor.enter(context.host, remains, {
    process: record.process,
    command,
    changes,
    tty,
    quiet,
    signal,
  });
}

/** One that does not know of changes would execute the command as the app's own user, unasked. */
function requireChanges({ name, traits }: Flavor, options: EnterOptions): void {
  const { user, group, workingDirectory, environment = [] } = options;
  const isPlain = [user, group, workingDirectory].every((each) => each === undefined) && environment.length === 0;
  if (isPlain || traits.enterChanges === true) return;
  const message = `flavor ${name} enters an app as the app is: leave user, working directory and environment variables out`;
  throw new Stage1Error('ERR_RKT_STAGE1_FLAVOR_UNABLE', message);
}

async function defaultShell({ host }: RuntimeContext, app: ProcessIdentity): Promise<readonly string[]> {
  const { syscalls } = await host.kernel();
  const root = openSync(`/proc/${app.pid}/root`, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    // Only looked at, not opened for reading: an image may have put anything there.
    closeSync(syscalls.openInRoot(root, '/bin/bash', 0o10000000));
    return ['/bin/bash'];
  } catch (error) {
    if (error instanceof SystemCallError) return ['/bin/sh'];
    throw error;
  } finally {
    closeSync(root);
  }
}
