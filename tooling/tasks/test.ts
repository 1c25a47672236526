// SPDX-License-Identifier: Apache-2.0
//
// Everything that CI runs: formatting and lint, import rules, types, build, and every test.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { buildAll } from './src/build-all.ts';
import { run } from './src/command.ts';
import { cacheDir } from './src/repository.ts';

const steps: readonly (readonly [string, () => Promise<void>])[] = [
  ['format and lint', () => run(['biome', 'ci', '.'])],
  ['types and build', buildAll],
  ['import rules', () => run(['node', 'tooling/depgraph/src/main.ts'])],
  [
    'tests of packages and tools',
    () => vitest(['refparse', 'appc', 'registry', 'docker2aci', 'store', 'stage1', 'cli', 'depgraph']),
  ],
  ['packed packages', () => vitest(['pack'])],
  // Alone: each test compares the whole host before and after.
  ['end to end', () => vitest(['e2e'])],
];

for (const [name, step] of steps) {
  const started = performance.now();
  process.stderr.write(`\n== ${name}\n`);
  await step();
  process.stderr.write(`== ${name}: ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
}

/** On the working copy's own disk: /tmp may be a tmpfs, whose files EROFS cannot be mounted from. */
function vitest(projects: readonly string[]): Promise<void> {
  const temporary = join(cacheDir, 'tmp');
  mkdirSync(temporary, { recursive: true });
  const env = { ...process.env, TMPDIR: temporary };
  return run(['vitest', 'run', ...projects.map((project) => `--project=${project}`)], { env });
}
