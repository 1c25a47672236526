// SPDX-License-Identifier: Apache-2.0
import { closeSync, fstatSync, type Stats } from 'node:fs';
import { posix } from 'node:path';
import { Stage1Error, type Stage1ErrorCode } from '../../error.ts';
import { type Syscalls, SystemCallError } from '../../host/index.ts';
import { resolveInRoot } from '../../mounts/index.ts';
import { quote } from '../../quote.ts';
import { formatFailure } from './executable-format.ts';

/** What is to be executed in a root filesystem. */
export interface Execution {
  readonly executable: string;
  /** `NAME=value`; PATH counts. */
  readonly env: readonly string[];
  readonly cwd: string;
  /** Where something else will be by then than what the root filesystem shows now. */
  readonly covered: readonly string[];
}

/**
 * Refuses what cannot be executed before a runtime tries: a runtime writes its complaint to the app's own standard error.
 * What cannot be told (other mounts will be there, access lists, binfmt_misc) is left to the runtime.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_EXEC_NOT_FOUND, ERR_RKT_STAGE1_EXEC_PERMISSION, ERR_RKT_STAGE1_EXEC_FORMAT
 */
export function checkExecutable(syscalls: Syscalls, root: number, execution: Execution): void {
  const { executable, covered } = execution;
  let found = false;
  for (const candidate of candidates(execution)) {
    const resolved = resolve(syscalls, root, candidate);
    if (resolved === undefined) continue;
    if (covered.some((path) => resolved === path || resolved.startsWith(`${path}/`))) return;
    const stat = look(syscalls, root, resolved);
    if (stat === undefined) continue;
    found = true;
    if (!stat.isFile() || (stat.mode & 0o111) === 0) continue;
    const failure = formatFailure(syscalls, root, { executable, path: resolved, covered });
    if (failure !== undefined) throw failure;
    return;
  }
  if (found) throw cannot('ERR_RKT_STAGE1_EXEC_PERMISSION', executable, 'may not be executed');
  throw cannot('ERR_RKT_STAGE1_EXEC_NOT_FOUND', executable, 'does not exist in the image');
}

/** As execvpe(3) looks. */
function candidates({ executable, env, cwd }: Execution): readonly string[] {
  if (executable.includes('/')) return [posix.resolve('/', cwd, executable)];
  const path = env.find((entry) => entry.startsWith('PATH='))?.slice('PATH='.length) ?? '';
  return path.split(':').map((directory) => posix.resolve('/', cwd, directory, executable));
}

function resolve(syscalls: Syscalls, root: number, path: string): string | undefined {
  try {
    return resolveInRoot(syscalls, root, path);
  } catch (error) {
    if (error instanceof SystemCallError && error.code === 'ENAMETOOLONG') return undefined;
    throw error;
  }
}

const O_PATH = 0o10000000;

function look(syscalls: Syscalls, root: number, path: string): Stats | undefined {
  let fd: number;
  try {
    fd = syscalls.openInRoot(root, path, O_PATH);
  } catch (error) {
    if (error instanceof SystemCallError) return undefined;
    throw error;
  }
  try {
    return fstatSync(fd);
  } finally {
    closeSync(fd);
  }
}

function cannot(code: Stage1ErrorCode, executable: string, what: string): Stage1Error {
  return new Stage1Error(code, `executable ${quote(executable, 400)} ${what}`);
}
