// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, openSync } from 'node:fs';
import type { Host } from '../../host/index.ts';
import type { AppRemains, EnterRequest } from '../flavor.ts';
import { checkExecutable } from '../image/check-executable.ts';
import { changedPlace } from '../process-changes.ts';
import { type AppProcess, readAppProcess, startProcess } from './app-process.ts';

/** Executes a command where the app is and as what it is, but for the changes asked for: in its mounts, as its user, with its environment. */
export async function enterApp(host: Host, { dir, app }: AppRemains, request: EnterRequest): Promise<number> {
  const { process, command, quiet = false, signal } = request;
  const own = changedProcess(readAppProcess(dir, app), request);
  const place = { namespace: `/proc/${process.pid}/ns/mnt`, root: `/proc/${process.pid}/root` };
  await requireExecutable(host, place.root, { ...own, args: command });
  signal?.throwIfAborted();
  // The terminal's signals are the command's: it stays where its terminal is.
  const stream = quiet ? 'ignore' : 'inherit';
  const stdio = [stream, stream, stream] as const;
  const child = await startProcess(host, place, { ...own, args: command, stdio, detached: false });
  const abort = (): void => (quiet ? child.kill() : child.signal('SIGTERM'));
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort, { once: true });
  const status = await child.exit.finally(() => signal?.removeEventListener('abort', abort));
  signal?.throwIfAborted();
  return status;
}

function changedProcess(own: AppProcess, { changes, tty }: EnterRequest): AppProcess {
  const { uid, gid, additionalGids } = changes.user ?? own.user;
  return { user: { uid, gid, additionalGids }, ...changedPlace(own, changes, tty) };
}

interface Command extends AppProcess {
  readonly args: readonly string[];
}

async function requireExecutable(host: Host, path: string, { env, cwd, args }: Command): Promise<void> {
  const { syscalls } = await host.kernel();
  const root = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    checkExecutable(syscalls, root, { executable: args[0] ?? '', env, cwd, covered: [] });
  } finally {
    closeSync(root);
  }
}
