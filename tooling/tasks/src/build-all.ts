// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.ts';
import { pruneOutputs } from './prune-outputs.ts';
import { repositoryRoot, rktExecutable } from './repository.ts';

/** Compiles every package and makes the `rkt` executable. */
export async function buildAll(): Promise<void> {
  for (const parent of ['packages', 'apps'].map((name) => join(repositoryRoot, name))) {
    for (const name of readdirSync(parent)) pruneOutputs(join(parent, name));
  }
  // Not by its name: the shell script of that name would not pass signals on.
  await run(['node', 'node_modules/typescript/bin/tsc', '-b']);
  await run(['node', '--conditions=@rkt/source', '--disable-warning=ExperimentalWarning', 'apps/cli/build/build.ts']);
  process.stderr.write(`built ${rktExecutable}\n`);
}
