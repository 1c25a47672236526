// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Stage1Error } from '../../error.ts';
import { type Host, randomUuid } from '../../host/index.ts';
import { appPaths } from '../../mounts/index.ts';
import { writeFileAtomically } from '../../pod/index.ts';
import type { AppRemains, EnterRequest } from '../flavor.ts';
import { checkExecutable } from './check-executable.ts';
import { startFailure } from './failures.ts';
import { globalArguments, type OciRuntime, takeRuntimeErrors } from './runtime-command.ts';
import { inRuntimeNamespace } from './runtime-namespace.ts';

/**
 * Runs a command beside an app, confined exactly as the app is: the process section of its own configuration, with
 * capabilities, no-new-privileges and environment, is what is executed; namespaces, cgroup and seccomp are the
 * container's (CVE-2019-10144, CVE-2019-10145, CVE-2019-10147).
 */
export async function enterApp(
  host: Host,
  runtime: OciRuntime,
  { dir, app }: AppRemains,
  request: EnterRequest,
): Promise<number> {
  const { base, bundle } = appPaths(app);
  const unique = join(dir, base, `enter-${randomUuid()}`);
  const place = { root: join(dir, 'runtime'), log: `${unique}.log` };
  const description = `${unique}.json`;
  const { command, quiet = false, signal } = request;
  const stream = quiet ? 'ignore' : 'inherit';
  const own = readProcessSection(join(dir, bundle, 'config.json'));
  await requireExecutable(host, request, own);
  writeFileAtomically(description, JSON.stringify(processSection(host, own, request)));
  try {
    const child = await inRuntimeNamespace(host, runtime, () =>
      host.processes.spawn({
        file: runtime.path,
        args: [...globalArguments(runtime, place), 'exec', '--process', description, app],
        cwd: '/',
        stdio: [stream, stream, stream],
      }),
    );
    // The runtime passes on what asks to end; what has to is a descendant of it.
    const abort = (): void => (quiet ? child.kill() : child.signal('SIGTERM'));
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    const status = await child.exit.finally(() => signal?.removeEventListener('abort', abort));
    signal?.throwIfAborted();
    const errors = status === 0 ? [] : takeRuntimeErrors(place.log);
    if (errors.length > 0) throw startFailure(command[0] ?? '', errors, status);
    return status;
  } finally {
    for (const file of [description, place.log]) rmSync(file, { force: true });
  }
}

/** In the root the app itself sees, so that nothing is covered. */
async function requireExecutable(host: Host, { process, command }: EnterRequest, own: ProcessSection): Promise<void> {
  const { syscalls } = await host.kernel();
  const root = openSync(`/proc/${process.pid}/root`, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    checkExecutable(syscalls, root, { ...own, executable: command[0] ?? '', covered: [] });
  } finally {
    closeSync(root);
  }
}

/** The app may have had no terminal, or one of another size. */
function processSection(host: Host, own: ProcessSection, { command, tty }: EnterRequest): unknown {
  return { ...own, args: command, terminal: tty, consoleSize: tty ? host.terminalSize() : undefined };
}

/** Of a configuration this package has written; the rest of it goes to the runtime as it is. */
interface ProcessSection {
  readonly env: readonly string[];
  readonly cwd: string;
}

function readProcessSection(path: string): ProcessSection {
  const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
  const section: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'process') : undefined;
  if (isProcessSection(section)) return section;
  throw new Stage1Error('ERR_RKT_STAGE1_POD_CORRUPT', `file ${path} of a pod is damaged`);
}

function isProcessSection(value: unknown): value is ProcessSection {
  if (typeof value !== 'object' || value === null) return false;
  return typeof Reflect.get(value, 'cwd') === 'string' && Array.isArray(Reflect.get(value, 'env'));
}
