#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// Entry of `npm run demo|test|build|bench|record`. Runs on the machine's own Node (20 or later) with nothing installed:
// brings the workspace to a state in which the repository's scripts, which need Node 24, can run, then runs one.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { passOnSignals, runCommand } from './command.mjs';
import { ensureSystemPackages } from './system-packages.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const tasks = ['build', 'demo', 'test', 'bench', 'record'];

const [task, ...args] = process.argv.slice(2);
if (!tasks.includes(task)) fail(`usage: run.mjs ${tasks.join('|')} [arguments]`);

// Signals are for what the task runs; this process waits for it to clean up.
passOnSignals();
// Compilers and package managers keep theirs in the machine's /tmp otherwise.
process.env.NODE_COMPILE_CACHE ??= join(root, '.cache', 'node-compile-cache');

const crossBuild = task === 'build' && args.includes('--arch=arm64');
await ensureSystemPackages(crossBuild ? 'build --arch=arm64' : task, { say, fail });
await ensureWorkspace();
process.exit(await runTask());

/** Installs the locked dependencies with the pinned pnpm, unless that was already done for this very lockfile. */
async function ensureWorkspace() {
  const lock = readFileSync(join(root, 'pnpm-lock.yaml'));
  const stampFile = join(root, 'node_modules', '.installed-lockfile');
  const stamp = createHash('sha256').update(lock).digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  say(`installing the workspace's dependencies with ${packageManager} (from the npm registry)`);
  const install = ['--yes', packageManager, 'install', '--frozen-lockfile', '--loglevel=error'];
  const status = await runCommand('npx', install, { cwd: root, env: { ...process.env, CI: 'true' } });
  if (status !== 0) fail(`${packageManager} install failed; is the npm registry reachable?`);
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, stamp);
}

/** Runs tooling/tasks/<task>.ts on the Node 24 that the lockfile pins, from TypeScript source. */
async function runTask() {
  const bin = join(root, 'node_modules', '.bin');
  const node = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (!existsSync(node)) fail(`no Node 24 binary in the npm registry for ${process.platform}-${process.arch}`);
  const script = join(root, 'tooling', 'tasks', `${task}.ts`);
  const command = ['--conditions=@rkt/source', '--disable-warning=ExperimentalWarning', script, ...args];
  const env = { ...process.env, PATH: `${dirname(node)}:${bin}:${process.env.PATH}` };
  try {
    return await runCommand(node, command, { cwd: root, env });
  } catch (error) {
    fail(`cannot start ${node}: ${error.message}`);
  }
}

function say(text) {
  process.stderr.write(`setup: ${text}\n`);
}

function fail(text) {
  process.stderr.write(`setup: ${text}\n`);
  process.exit(1);
}
