// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, openSync } from 'node:fs';
import type { App, NameValue } from '@rkt/appc';
import { Stage1Error } from '../error.ts';
import { readUserDatabase, requireMapped } from '../flavors/image/resolve-app.ts';
import type { ProcessChanges } from '../flavors/process-changes.ts';
import { type Host, type ProcessIdentity, type Syscalls, SystemCallError } from '../host/index.ts';
import { resolveInRoot } from '../mounts/index.ts';
import { checkedCommand, type IdRange, type ResolvedUser, readIsolators, resolveUser } from '../oci-spec/index.ts';
import { quote } from '../quote.ts';
import type { EnterOptions } from '../runtime.ts';

/** The app that is entered. */
export interface EnteredApp {
  readonly name: string;
  /** As the pod's manifest has it. */
  readonly section: App;
  readonly process: ProcessIdentity;
  /** Those of a pod with private users. */
  readonly users: IdRange | undefined;
}

/**
 * What `enter` is to have otherwise than the app has it. Users are those of the app's own files, as the app sees them; the
 * working directory is followed through the links it has now.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_APP_INVALID for what execve(2) would refuse, and for a working directory that is no
 *   absolute path, is not there or leads into a process; what resolveUser throws
 */
export async function enterChanges(host: Host, app: EnteredApp, options: EnterOptions): Promise<ProcessChanges> {
  const { environment = [] } = options;
  for (const variable of environment) requireUsable(app, variable);
  const { user, cwd = '/' } = await inAppRoot(host, app, options);
  const command = checkedCommand({
    app: { ...app.section, exec: ['/'], workingDirectory: cwd },
    appName: app.name,
    environment: [...(user === undefined ? [] : loginOf(app.section, user)), ...environment],
    hostLimits: host.limits(),
  });
  return {
    env: command.env,
    ...(user && { user, ...retained(app.section) }),
    ...(options.workingDirectory !== undefined && { cwd: command.cwd }),
  };
}

function retained({ isolators = [] }: App): Pick<ProcessChanges, 'capabilitiesRetain'> {
  const { capabilitiesRetain } = readIsolators(isolators);
  return capabilitiesRetain === undefined ? {} : { capabilitiesRetain };
}

type Found = Omit<ProcessChanges, 'env'>;

/** Whom and where. The app's files are not touched where neither is asked for. */
async function inAppRoot(host: Host, app: EnteredApp, options: EnterOptions): Promise<Found> {
  const { user: name, group = '', workingDirectory } = options;
  if (name === undefined && workingDirectory === undefined) return {};
  const { syscalls } = await host.kernel();
  const root = openSync(`/proc/${app.process.pid}/root`, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const user =
      name === undefined ? undefined : resolveUser(...readUserDatabase(syscalls, root), { user: name, group });
    if (user !== undefined && app.users !== undefined) requireMapped(app.users, user);
    const cwd = workingDirectory === undefined ? undefined : directoryOf(syscalls, root, workingDirectory);
    return { ...(user && { user }), ...(cwd !== undefined && { cwd }) };
  } finally {
    closeSync(root);
  }
}

const O_PATH = 0o10000000;

function directoryOf(syscalls: Syscalls, root: number, path: string): string {
  if (!path.startsWith('/') || path.includes('\0')) {
    throw invalid(`working directory ${quote(path, 400)} is not an absolute path`);
  }
  const resolved = resolveInRoot(syscalls, root, path);
  try {
    closeSync(syscalls.openInRoot(root, resolved, O_PATH | constants.O_DIRECTORY));
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    const reason = error.code === 'ENOENT' ? 'does not exist in the app' : 'is no directory of the app';
    throw invalid(`working directory ${quote(path, 400)} ${reason}`, error);
  }
  return resolved;
}

function requireUsable({ name: app }: EnteredApp, { name, value }: NameValue): void {
  if (name !== '' && !/[=\0]/.test(name) && !value.includes('\0')) return;
  const what = `environment variable ${quote(name)} for app ${quote(app)}`;
  throw invalid(`${what} is not usable: empty name, "=" or NUL character`);
}

/** What every app may rely on, unless the image says it itself. */
function loginOf({ environment = [] }: App, { name, uid, home }: ResolvedUser): readonly NameValue[] {
  const stated = new Set(environment.map((variable) => variable.name));
  const login = name ?? (uid === 0 ? 'root' : String(uid));
  const variables = [
    { name: 'USER', value: login },
    { name: 'LOGNAME', value: login },
    { name: 'HOME', value: home },
  ];
  return variables.filter((variable) => !stated.has(variable.name));
}

function invalid(message: string, cause?: unknown): Stage1Error {
  return new Stage1Error('ERR_RKT_STAGE1_APP_INVALID', message, { cause });
}
