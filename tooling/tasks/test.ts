// SPDX-License-Identifier: Apache-2.0
//
// Everything that CI runs: formatting and lint, import rules, types, build, and every test.

import { buildAll } from './src/build-all.ts';
import { run } from './src/command.ts';

const steps: readonly (readonly [string, () => Promise<void>])[] = [
  ['format and lint', () => run(['biome', 'ci', '.'])],
  ['types and build', buildAll],
  ['import rules', () => run(['node', 'tooling/depgraph/src/main.ts'])],
  ['tests of packages and tools', () => run(['vitest', 'run', '--project=!e2e', '--project=!pack'])],
  ['packed packages', () => run(['vitest', 'run', '--project=pack'])],
  // Alone: each test compares the whole host before and after.
  ['end to end', () => run(['vitest', 'run', '--project=e2e'])],
];

for (const [name, step] of steps) {
  const started = performance.now();
  process.stderr.write(`\n== ${name}\n`);
  await step();
  process.stderr.write(`== ${name}: ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
}
