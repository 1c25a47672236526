// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { isStage1Error, Stage1Error, type Stage1ErrorCode } from '../../error.ts';
import type { Host, HostProcess, SpawnRequest, UserIds } from '../../host/index.ts';
import { appPaths } from '../../mounts/index.ts';
import { readTextFile, writeFileAtomically } from '../../pod/index.ts';
import { quote } from '../../quote.ts';

/** Everything an app, and what is entered with, is executed as. */
export interface AppProcess {
  readonly user: UserIds;
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly cwd: string;
}

function fileOf(dir: string, app: string): string {
  return join(dir, appPaths(app).base, 'process.json');
}

export function writeAppProcess(dir: string, app: string, process: AppProcess): void {
  writeFileAtomically(fileOf(dir, app), JSON.stringify(process));
}

/** @throws Stage1Error ERR_RKT_STAGE1_POD_CORRUPT */
export function readAppProcess(dir: string, app: string): AppProcess {
  const path = fileOf(dir, app);
  try {
    const value: unknown = JSON.parse(readTextFile(path) ?? '');
    if (isAppProcess(value)) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new Stage1Error('ERR_RKT_STAGE1_POD_CORRUPT', `file ${path} of a pod is damaged`);
}

function isAppProcess(value: unknown): value is AppProcess {
  if (typeof value !== 'object' || value === null) return false;
  const { user, env, cwd } = Object.fromEntries(Object.entries(value));
  if (typeof cwd !== 'string' || !Array.isArray(env) || !env.every((each) => typeof each === 'string')) return false;
  if (typeof user !== 'object' || user === null) return false;
  const { uid, gid, additionalGids } = Object.fromEntries(Object.entries(user));
  return Array.isArray(additionalGids) && [uid, gid, ...additionalGids].every(isId);
}

function isId(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 31;
}

/** Where a process is to be. */
export interface ProcessPlace {
  /** Path of the mount namespace. */
  readonly namespace: string;
  /** As that namespace shows it. */
  readonly root: string;
}

export interface ProcessStart extends AppProcess {
  readonly args: readonly string[];
  readonly stdio: SpawnRequest['stdio'];
  /** In a session of its own, which no terminal's signals reach. */
  readonly detached: boolean;
}

const umask = 0o022;

/**
 * Executes a program in another root directory as its user, with its environment: no program of the host's is executed
 * on the way, which an image could change the behaviour of (LD_PRELOAD).
 *
 * @throws Stage1Error ERR_RKT_STAGE1_EXEC_NOT_FOUND and its like, ERR_RKT_STAGE1_APP_INVALID for a working directory that
 *   is none, ERR_RKT_STAGE1_RUNTIME_FAILED
 */
export async function startProcess(host: Host, place: ProcessPlace, start: ProcessStart): Promise<HostProcess> {
  const { syscalls, namespaces } = await host.kernel();
  const [file = '', ...args] = start.args;
  const env = Object.fromEntries(start.env.map(variable));
  const { stdio, detached, user, cwd } = start;
  const { nofile } = host.limits();
  const child = namespaces.inMount(place.namespace, () => {
    const before = process.umask(umask);
    try {
      syscalls.chroot(place.root);
      enterDirectory(cwd);
      syscalls.keepDescriptors();
      return syscalls.withOpenFiles(nofile, () =>
        syscalls.asUser(user, () => host.processes.spawn({ file, args, stdio, detached, env, foreign: true })),
      );
    } catch (error) {
      throw isStage1Error(error) ? error : startFailure(file, error);
    } finally {
      process.umask(before);
    }
  });
  // Some of what execve(2) answers is thrown, some is the process's end; one that was not executed has no pid.
  if (child.pid === 0) {
    await child.exit.catch((error: unknown) => {
      throw startFailure(file, error);
    });
  }
  return child;
}

/** Of what execve(2) answers, what is about the file. */
const causes: Readonly<Record<string, readonly [Stage1ErrorCode, string]>> = {
  ENOENT: ['ERR_RKT_STAGE1_EXEC_NOT_FOUND', 'does not exist in the image'],
  EACCES: ['ERR_RKT_STAGE1_EXEC_PERMISSION', 'may not be executed'],
  ENOEXEC: ['ERR_RKT_STAGE1_EXEC_FORMAT', 'is not in a format this machine executes'],
};

function startFailure(executable: string, error: unknown): Stage1Error {
  const errno = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reason = error instanceof Error ? error.message : String(error);
  const [code, what] = causes[errno] ?? ['ERR_RKT_STAGE1_RUNTIME_FAILED', `could not be executed: ${reason}`];
  return new Stage1Error(code, `executable ${quote(executable, 400)} ${what}`, { cause: error });
}

function enterDirectory(path: string): void {
  try {
    process.chdir(path);
    // What is not below the root has no path there: a link that the app has put in the way, into one of our descriptors.
    if (!process.cwd().startsWith('/')) throw new Error('it is outside of the root directory');
  } catch (error) {
    const message = `cannot enter working directory ${quote(path, 400)} of the image`;
    throw new Stage1Error('ERR_RKT_STAGE1_APP_INVALID', message, { cause: error });
  }
}

function variable(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  return [text.slice(0, equals), text.slice(equals + 1)];
}
