// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { Host, HostProcess, ProcessIdentity } from '../../host/index.ts';
import { appPaths } from '../../mounts/index.ts';
import { isIdentity, readTextFile, writeFileAtomically } from '../../pod/index.ts';

function fileOf(dir: string, app: string): string {
  return join(dir, appPaths(app).base, 'runtime.json');
}

/**
 * Starts the runtime of an app and writes down which process it is, before the app has one. It has the pod's lock, and is in
 * no cgroup of the pod: one that does not come to an end, or was stopped by somebody killed before he ended it, nobody would
 * find. So one that cannot be written down is killed, with what it has started.
 */
export async function startNoted(
  { processes }: Host,
  dir: string,
  { app, spawn }: { readonly app: string; readonly spawn: () => HostProcess },
): Promise<HostProcess> {
  const runtime = spawn();
  try {
    const identity = processes.identify(runtime.pid);
    if (identity !== undefined) writeFileAtomically(fileOf(dir, app), JSON.stringify(identity));
    return runtime;
  } catch (error) {
    runtime.kill();
    await runtime.exit;
    throw error;
  }
}

/** Kills the runtime that was to start an app, or waits for it still. */
export function endRuntime({ processes }: Host, dir: string, app: string): void {
  const identity = readRuntime(fileOf(dir, app));
  if (identity !== undefined) processes.signal(identity, 'SIGKILL');
}

/** A damaged file is none. */
function readRuntime(path: string): ProcessIdentity | undefined {
  const text = readTextFile(path);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isIdentity(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
