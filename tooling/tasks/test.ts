// SPDX-License-Identifier: Apache-2.0
//
// Everything that CI runs: formatting and lint, import rules, types, build, and every test.

import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { buildAll } from './src/build-all.ts';
import { inLanes, type Run, type Step } from './src/lanes.ts';
import { dataDirsBelow, releasePods } from './src/release-pods.ts';
import { rktExecutable } from './src/repository.ts';
import { requireErofs } from './src/require-erofs.ts';
import { passOnSignals } from './src/signals.ts';
import { workersGone } from './src/workers-gone.ts';

const packagesAndTools = [
  ...['refparse', 'appc', 'registry', 'docker2aci', 'store', 'stage1', 'cli'],
  ...['api', 'depgraph', 'tasks'],
];
/** In the names of those that make mounts, namespaces and pods. */
const rootTests = '.root.test';

/** Stages come one after the other; what lanes of a stage do is done at the same time. */
const stages: readonly (readonly (readonly Step[])[])[] = [
  // A compiler has use for one core.
  [
    [
      ['types and build', () => buildAll()],
      ['API reports', (run) => run(['node', 'tooling/api/src/main.ts'])],
    ],
    [
      ['format and lint', (run) => run(['biome', 'ci', '.'])],
      ['import rules', (run) => run(['node', 'tooling/depgraph/src/main.ts'])],
      ['unused files, dependencies and exports', (run) => run(['knip', '--no-progress'])],
    ],
  ],
  // Of those that make pods, each finds its own; together they would take cgroups away from each other.
  [
    [['tests that need no root', (run) => vitest(run, packagesAndTools, [`--exclude=**/*${rootTests}.ts`])]],
    [
      ['tests that need root', (run) => vitest(run, packagesAndTools, [rootTests, '--maxWorkers=1'])],
      ['packed packages', (run) => vitest(run, ['pack'])],
      // Where they are not there yet, this takes as long as many tests, which then would wait for it.
      ['images', (run) => run(['node', ...process.execArgv, 'tooling/tasks/compose-images.ts'])],
    ],
  ],
  // Alone: each test compares the whole host before and after.
  [[['end to end', (run) => vitest(run, ['e2e'])]]],
];

await requireErofs('/var/tmp');
const passedOn = passOnSignals();
try {
  for (const lanes of stages) await inLanes(lanes, { isStopped: () => passedOn.signal !== undefined });
} catch (error) {
  if (passedOn.signal === undefined) throw error;
  process.stderr.write(`test: stopped by ${passedOn.signal}\n`);
}
process.exitCode = passedOn.status;

/** In /var/tmp: /tmp may be a tmpfs, whose files EROFS cannot be mounted from. Everyone may enter: some tests drop root. */
async function vitest(run: Run, projects: readonly string[], args: readonly string[] = []): Promise<void> {
  const temporary = mkdtempSync('/var/tmp/rkt-tests-');
  chmodSync(temporary, 0o755);
  try {
    const env = { ...process.env, TMPDIR: temporary };
    // Not by its name: the shell script of that name would not pass signals on.
    const command = ['node', 'node_modules/vitest/vitest.mjs', 'run', ...args];
    await run([...command, ...projects.map((project) => `--project=${project}`)], { env });
  } finally {
    // Tests that were ended by a signal have not undone anything.
    await workersGone(temporary);
    for (const dir of dataDirsBelow(temporary)) await releasePods(rktExecutable, dir);
    rmSync(temporary, { recursive: true, force: true });
  }
}
