// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.ts';
import { pruneOutputs } from './prune-outputs.ts';
import { repositoryRoot, rktExecutable } from './repository.ts';

/** Compiles every package and makes the `rkt` executable: this machine's, or the one to be offered for another. */
export async function buildAll(arch: string = process.arch): Promise<void> {
  for (const parent of ['packages', 'apps'].map((name) => join(repositoryRoot, name))) {
    for (const name of readdirSync(parent)) pruneOutputs(join(parent, name));
  }
  // Not by its name: the shell script of that name would not pass signals on.
  await run(['node', 'node_modules/typescript/bin/tsc', '-b']);
  const node = ['node', '--conditions=@rkt/source', '--disable-warning=ExperimentalWarning'];
  await run([...node, 'apps/cli/build/build.ts', `--arch=${arch}`]);
  const built = arch === process.arch ? rktExecutable : join(rktExecutable, '..', 'release', `rkt-linux-${arch}`);
  process.stderr.write(`built ${built}\n`);
}
