// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, openSync } from 'node:fs';
import {
  type RuntimeContext,
  requireApp,
  requireFlavor,
  requireManifest,
  requirePod,
  requireRoot,
} from '../context.ts';
import { Stage1Error } from '../error.ts';
import { type ProcessIdentity, SystemCallError } from '../host/index.ts';
import { type AppRecord, type PodLocation, records } from '../pod/index.ts';
import type { EnterOptions, PodId } from '../runtime.ts';
import { isRunning } from './apps.ts';

export async function enter(context: RuntimeContext, id: PodId, options: EnterOptions): Promise<number> {
  options.signal?.throwIfAborted();
  requireRoot(context);
  const location = requirePod(context, id);
  const app = options.app ?? onlyApp(location);
  requireApp(location, app);
  const record = records.readApp(location.dir, app);
  const run = records.readRun(location.dir);
  if (run === undefined || record?.process === undefined || !isRunning(context, record)) {
    throw new Stage1Error('ERR_RKT_STAGE1_APP_NOT_RUNNING', `app "${app}" of pod ${id} does not run`);
  }
  const command = options.command ?? (await defaultShell(context, record.process));
  const inside = processInside(context, run.holder, record);
  const { tty, signal } = options;
  const remains = { podId: id, dir: location.dir, app, inside };
  return requireFlavor(context, run.flavor).enter(context.host, remains, {
    process: record.process,
    command,
    tty,
    signal,
  });
}

function onlyApp(location: PodLocation): string {
  const [first, ...others] = requireManifest(location).apps;
  if (first !== undefined && others.length === 0) return first.name;
  const names = [first, ...others].flatMap((app) => (app ? [app.name] : []));
  const message = `pod ${location.id} contains multiple apps: ${names.join(', ')}`;
  throw new Stage1Error('ERR_RKT_STAGE1_APP_UNSPECIFIED', message);
}

/** The holder ends with the process that made the sandbox; the app's monitor stays, in the same mount namespace. */
function processInside(
  { host }: RuntimeContext,
  holder: ProcessIdentity,
  record: AppRecord,
): ProcessIdentity | undefined {
  if (host.processes.isAlive(holder)) return holder;
  return record.monitor !== undefined && host.processes.isAlive(record.monitor) ? record.monitor : undefined;
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
