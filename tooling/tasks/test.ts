// SPDX-License-Identifier: Apache-2.0
//
// Everything that CI runs: formatting and lint, import rules, types, build, and every test.

import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { buildAll } from './src/build-all.ts';
import { run } from './src/command.ts';
import { dataDirsBelow, releasePods } from './src/release-pods.ts';
import { rktExecutable } from './src/repository.ts';
import { requireErofs } from './src/require-erofs.ts';
import { passOnSignals } from './src/signals.ts';
import { workersGone } from './src/workers-gone.ts';

const steps: readonly (readonly [string, () => Promise<void>])[] = [
  ['format and lint', () => run(['biome', 'ci', '.'])],
  ['types and build', buildAll],
  ['import rules', () => run(['node', 'tooling/depgraph/src/main.ts'])],
  ['unused files, dependencies and exports', () => run(['knip', '--no-progress'])],
  ['API reports', () => run(['node', 'tooling/api/src/main.ts'])],
  [
    'tests of packages and tools',
    () => vitest(['refparse', 'appc', 'registry', 'docker2aci', 'store', 'stage1', 'cli', 'api', 'depgraph', 'tasks']),
  ],
  ['packed packages', () => vitest(['pack'])],
  // Alone: each test compares the whole host before and after.
  ['end to end', () => vitest(['e2e'])],
];

await requireErofs('/var/tmp');
const passedOn = passOnSignals();
try {
  for (const [name, step] of steps) await timed(name, step);
} catch (error) {
  if (passedOn.signal === undefined) throw error;
  process.stderr.write(`test: stopped by ${passedOn.signal}\n`);
}
process.exitCode = passedOn.status;

async function timed(name: string, step: () => Promise<void>): Promise<void> {
  if (passedOn.signal !== undefined) return;
  const started = performance.now();
  process.stderr.write(`\n== ${name}\n`);
  await step();
  process.stderr.write(`== ${name}: ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
}

/** In /var/tmp: /tmp may be a tmpfs, whose files EROFS cannot be mounted from. Everyone may enter: some tests drop root. */
async function vitest(projects: readonly string[]): Promise<void> {
  const temporary = mkdtempSync('/var/tmp/rkt-tests-');
  chmodSync(temporary, 0o755);
  try {
    const env = { ...process.env, TMPDIR: temporary };
    // Not by its name: the shell script of that name would not pass signals on.
    await run(['node', 'node_modules/vitest/vitest.mjs', 'run', ...projects.map((project) => `--project=${project}`)], {
      env,
    });
  } finally {
    // Tests that were ended by a signal have not undone anything.
    await workersGone(temporary);
    for (const dir of dataDirsBelow(temporary)) await releasePods(rktExecutable, dir);
    rmSync(temporary, { recursive: true, force: true });
  }
}
