// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';

export interface ExecuteOptions {
  readonly cwd: string;
  /** Added to this process's environment; `undefined` takes a variable out of it. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Runs a program to its end; gives its standard output, or throws with all it has printed. */
export function execute(file: string, args: readonly string[], { cwd, env = {} }: ExecuteOptions): string {
  try {
    return execFileSync(file, args, {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, CI: 'true', ...env },
    });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${file} ${args.join(' ')} in ${cwd} failed:\n${stdout}${stderr}`, { cause: error });
  }
}
