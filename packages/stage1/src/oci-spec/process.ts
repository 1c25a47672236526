// SPDX-License-Identifier: Apache-2.0
import { Stage1Error } from '../error.ts';
import { quote } from '../quote.ts';
import { resolveDots } from './absolute-path.ts';
import type { HostLimits, OciSpecInput, ResourceLimit } from './input.ts';
import type { AppIsolators } from './isolators.ts';
import type { OciCapabilities, OciProcess, OciRlimit } from './spec.ts';

/** The `process` section: what is executed, as whom, with which limits. */
export function buildProcess(input: OciSpecInput, isolators: AppIsolators, capabilities: OciCapabilities): OciProcess {
  const { uid, gid, additionalGids } = input.user;
  const { args, env, cwd } = checkedCommand(input);
  return {
    terminal: input.terminal,
    ...(input.terminal && input.terminalSize && { consoleSize: input.terminalSize }),
    user: { uid, gid, ...(additionalGids.length > 0 && { additionalGids }) },
    args,
    env,
    cwd,
    capabilities,
    rlimits: rlimits(input.hostLimits),
    noNewPrivileges: isolators.noNewPrivileges,
    ...(isolators.oomScoreAdj !== undefined && { oomScoreAdj: isolators.oomScoreAdj }),
  };
}

export type CommandInput = Pick<OciSpecInput, 'app' | 'appName' | 'environment' | 'hostLimits'>;

/**
 * What is executed, where, and with which variables, `NAME=value`.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_APP_INVALID for what execve(2) would refuse, and a working directory that leads into a
 *   process
 */
export function checkedCommand(input: CommandInput): Pick<OciProcess, 'args' | 'env' | 'cwd'> {
  const args = checkedArgs(input);
  const env = input.environment.map(({ name, value }) => `${name}=${value}`);
  checkSizes(input, args, env);
  return { args, env, cwd: checkedWorkingDirectory(input) };
}

function checkedArgs({ app, appName }: CommandInput): readonly string[] {
  if (app.exec.length === 0 || app.exec[0] === '') {
    throw invalid(`app ${quote(appName)} has an empty exec`);
  }
  if (app.exec.some((argument) => argument.includes('\0'))) {
    throw invalid(`an argument of app ${quote(appName)} contains a NUL character`);
  }
  return app.exec;
}

/** execve(2), "Limits on size": of one argument or variable, its terminator included, and the least there is for all. */
const maxString = 131_072;
const minArgumentBytes = 131_072;
const pointerSize = 8;

/** The kernel would refuse them when it is too late for a clear word. */
function checkSizes({ appName, hostLimits }: CommandInput, args: readonly string[], env: readonly string[]): void {
  const sizes = [...args, ...env].map((text) => Buffer.byteLength(text) + 1);
  const longest = sizes.reduce((most, size) => Math.max(most, size), 0);
  if (longest > maxString) {
    const what = `an argument or environment variable of app ${quote(appName)} is too long`;
    throw invalid(`${what}: expected at most ${maxString - 1} bytes, got ${longest - 1}`);
  }
  const limit = hostLimits.argumentBytes ?? minArgumentBytes;
  // The executable's path is there twice.
  const total = sizes.reduce((sum, size) => sum + size + pointerSize, 0) + Buffer.byteLength(args[0] ?? '') + 1;
  if (total <= limit) return;
  const what = `arguments and environment of app ${quote(appName)} are too long`;
  throw invalid(`${what}: expected at most ${limit} bytes, got ${total}`);
}

/**
 * A working directory below /proc/self and its like names a descriptor of the runtime, not a directory of the image
 * (CVE-2024-21626), so it is refused before a runtime sees it.
 */
function checkedWorkingDirectory({ app, appName }: CommandInput): string {
  const directory = app.workingDirectory || '/';
  if (!directory.startsWith('/') || directory.includes('\0')) {
    throw invalid(`working directory ${quote(directory)} of app ${quote(appName)} is not an absolute path`);
  }
  if (/^\/(proc\/(self|thread-self|\d+)|dev\/fd)(\/|$)/.test(resolveDots(directory))) {
    throw invalid(`working directory ${quote(directory)} of app ${quote(appName)} leads into a process`);
  }
  return directory;
}

/** Written although they are the caller's own: a JavaScript engine raises its soft limit, and that would be inherited. */
function rlimits(limits: HostLimits): readonly OciRlimit[] {
  return [
    { type: 'RLIMIT_NOFILE', ...ordered(limits.nofile) },
    ...(limits.nproc ? [{ type: 'RLIMIT_NPROC' as const, ...ordered(limits.nproc) }] : []),
  ];
}

function ordered({ soft, hard }: ResourceLimit): ResourceLimit {
  return { soft: Math.min(soft, hard), hard };
}

function invalid(message: string): Stage1Error {
  return new Stage1Error('ERR_RKT_STAGE1_APP_INVALID', message);
}
