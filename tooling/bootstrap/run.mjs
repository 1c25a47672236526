#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// Entry of `npm run demo|test|build|bench`. Runs on the machine's own Node (20 or later) with nothing installed:
// brings the workspace to a state in which the repository's scripts, which need Node 24, can run, then runs one.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureSystemPackages } from './system-packages.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const tasks = ['build', 'demo', 'test', 'bench'];

const [task, ...args] = process.argv.slice(2);
if (!tasks.includes(task)) fail(`usage: run.mjs ${tasks.join('|')} [arguments]`);

// A terminal's Ctrl-C is for what the task runs; this process waits for it to clean up.
process.on('SIGINT', () => undefined);

ensureSystemPackages(task, { say, fail });
ensureWorkspace();
process.exit(runTask());

/** Installs the locked dependencies with the pinned pnpm, unless that was already done for this very lockfile. */
function ensureWorkspace() {
  const lock = readFileSync(join(root, 'pnpm-lock.yaml'));
  const stampFile = join(root, 'node_modules', '.installed-lockfile');
  const stamp = createHash('sha256').update(lock).digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  say(`installing the workspace's dependencies with ${packageManager} (from the npm registry)`);
  const result = spawnSync('npx', ['--yes', packageManager, 'install', '--frozen-lockfile', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, CI: 'true' },
  });
  if (result.status !== 0) fail(`${packageManager} install failed; is the npm registry reachable?`);
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, stamp);
}

/** Runs tooling/tasks/<task>.ts on the Node 24 that the lockfile pins, from TypeScript source. */
function runTask() {
  const bin = join(root, 'node_modules', '.bin');
  const node = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (!existsSync(node)) fail(`no Node 24 binary in the npm registry for ${process.platform}-${process.arch}`);
  const script = join(root, 'tooling', 'tasks', `${task}.ts`);
  const result = spawnSync(
    node,
    ['--conditions=@rkt/source', '--disable-warning=ExperimentalWarning', script, ...args],
    {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, PATH: `${dirname(node)}:${bin}:${process.env.PATH}` },
    },
  );
  if (result.error) fail(`cannot start ${node}: ${result.error.message}`);
  return result.status ?? 1;
}

function say(text) {
  process.stderr.write(`setup: ${text}\n`);
}

function fail(text) {
  process.stderr.write(`setup: ${text}\n`);
  process.exit(1);
}
