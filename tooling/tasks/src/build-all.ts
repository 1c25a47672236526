// SPDX-License-Identifier: Apache-2.0
import { run } from './command.ts';
import { rktExecutable } from './repository.ts';

/** Compiles every package and makes the `rkt` executable. */
export async function buildAll(): Promise<void> {
  await run(['tsc', '-b']);
  await run(['node', '--conditions=@rkt/source', '--disable-warning=ExperimentalWarning', 'apps/cli/build/build.ts']);
  process.stderr.write(`built ${rktExecutable}\n`);
}
