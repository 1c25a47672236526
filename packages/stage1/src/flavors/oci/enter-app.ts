// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Stage1Error } from '../../error.ts';
import { type Host, randomUuid, type Syscalls } from '../../host/index.ts';
import { appPaths, mountPassage, passage } from '../../mounts/index.ts';
import { type OciProcess, processCapabilities } from '../../oci-spec/index.ts';
import { writeFileAtomically } from '../../pod/index.ts';
import type { AppRemains, EnterRequest } from '../flavor.ts';
import { checkExecutable } from '../image/check-executable.ts';
import { changedPlace } from '../process-changes.ts';
import { standardStreams } from '../standard-streams.ts';
import { startFailure } from './failures.ts';
import { globalArguments, type OciRuntime, takeRuntimeErrors } from './runtime-command.ts';
import { inRuntimeNamespace } from './runtime-namespace.ts';

/**
 * Runs a command beside an app, confined exactly as the app is: the process section of its own configuration, with
 * capabilities, no-new-privileges and environment, is what is executed, but for the changes asked for; namespaces, cgroup and seccomp are the
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
  const configuration = readConfiguration(join(dir, bundle, 'config.json'));
  const own = configuration.process;
  const section = { ...own, ...changedProcess(own, request) };
  await requireExecutable(host, request, section);
  writeFileAtomically(description, JSON.stringify(processSection(host, section, request)));
  try {
    const { syscalls } = await host.kernel();
    const privateUsers = configuration.linux.uidMappings !== undefined;
    const streams = standardStreams(host, syscalls, { stdin: true, privateUsers, quiet });
    const child = await inRuntimeNamespace(host, runtime, () => {
      requireDirectory(syscalls, configuration.root.path);
      return host.processes.spawn({
        file: runtime.path,
        args: [...globalArguments(runtime, place), 'exec', '--process', description, app],
        cwd: '/',
        stdio: [streams.stdin, streams.stdout, streams.stderr],
      });
    });
    const { drained } = streams.handedOver();
    // The runtime passes on what asks to end; what has to is a descendant of it.
    const abort = (): void => (quiet ? child.kill() : child.signal('SIGTERM'));
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    const status = await child.exit.finally(() => signal?.removeEventListener('abort', abort));
    await drained();
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

/** Another user has what an app of that user would: root all the app could come to have, anybody else what is retained. */
function changedProcess(own: ProcessSection, { changes, tty }: EnterRequest): Partial<OciProcess> {
  const place = changedPlace(own, changes, tty);
  if (changes.user === undefined) return place;
  const { uid, gid, additionalGids } = changes.user;
  const capabilities = processCapabilities(own.capabilities.bounding, { uid, asked: changes.capabilitiesRetain });
  return { ...place, user: { uid, gid, additionalGids }, capabilities };
}

/** The app may have had no terminal, or one of another size. */
function processSection(host: Host, own: ProcessSection, { command, tty }: EnterRequest): unknown {
  return { ...own, args: command, terminal: tty, consoleSize: tty ? host.terminalSize() : undefined };
}

/** Of a configuration this package has written; the rest of it goes to the runtime as it is. */
interface ProcessSection {
  readonly env: readonly string[];
  readonly cwd: string;
  readonly capabilities: { readonly bounding: readonly string[] };
}

interface Configuration {
  readonly process: ProcessSection;
  readonly root: { readonly path: string };
  readonly linux: { readonly uidMappings?: unknown };
}

function readConfiguration(path: string): Configuration {
  const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
  if (isConfiguration(value)) return value;
  throw new Stage1Error('ERR_RKT_STAGE1_POD_CORRUPT', `file ${path} of a pod is damaged`);
}

function isConfiguration(value: unknown): value is Configuration {
  if (!isObject(value)) return false;
  const { process, root, linux } = value;
  if (!isObject(process) || !isObject(root) || !isObject(linux)) return false;
  const { capabilities, cwd, env } = process;
  const isProcess = typeof cwd === 'string' && Array.isArray(env) && isObject(capabilities);
  return isProcess && Array.isArray(capabilities['bounding']) && typeof root['path'] === 'string';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** runc 1.1 begins where the container's root is, which is there in the pod's own mount namespace alone. */
function requireDirectory(syscalls: Syscalls, path: string): void {
  if (dirname(path) !== passage) return;
  mountPassage(syscalls);
  mkdirSync(path);
}
