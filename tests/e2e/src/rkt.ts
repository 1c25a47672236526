// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const executable: string = fileURLToPath(new URL('../../../apps/cli/dist/rkt', import.meta.url));

/** What a finished `rkt` left: its status and what it printed. */
export interface Finished {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** An `rkt` of its own: data directory and configuration below one temporary directory. */
export interface RktHost {
  readonly dir: string;
  readonly dataDir: string;
  readonly configDir: string;
  /** Runs `rkt` to its end. */
  rkt(args: readonly string[], options?: SpawnOptions): Promise<Finished>;
  /** Starts `rkt`; output gathers in the result. */
  start(args: readonly string[], options?: SpawnOptions): Started;
  /** Writes a file of the local configuration. */
  configure(path: string, content: unknown): void;
}

/** One that whoever made it removes, with what it has left running. */
export interface Installation extends RktHost, AsyncDisposable {}

export interface Started {
  readonly child: ChildProcess;
  readonly output: { stdout: string; stderr: string };
  readonly finished: Promise<Finished>;
}

export interface InstallationOptions {
  /** A data directory to begin with a copy of. @default none: rkt makes one */
  readonly dataFrom?: string;
}

export function installation({ dataFrom }: InstallationOptions = {}): Installation {
  const dir = mkdtempSync(join(tmpdir(), 'rkt-e2e-'));
  const dataDir = join(dir, 'data');
  // With times and attributes, as a store has them.
  if (dataFrom !== undefined) execFileSync('cp', ['-a', dataFrom, dataDir]);
  const configDir = join(dir, 'etc');
  mkdirSync(configDir);
  const globals = [`--dir=${dataDir}`, `--local-config=${configDir}`, '--system-config='];
  const temporary = join(dir, 'tmp');
  mkdirSync(temporary);
  // Caches of the repository's own programs are not what a user's rkt has.
  const { NODE_COMPILE_CACHE: _cache, ...inherited } = process.env;
  const env = { ...inherited, TMPDIR: temporary };
  const children: Started[] = [];
  const begin = (args: readonly string[], options: SpawnOptions = {}) => {
    const child = started([...globals, ...args], { env, ...options });
    children.push(child);
    return child;
  };
  return {
    dir,
    dataDir,
    configDir,
    start: begin,
    rkt: (args, options) => begin(args, options).finished,
    configure: (path, content) => {
      const file = join(configDir, path);
      mkdirSync(join(file, '..'), { recursive: true });
      writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    },
    [Symbol.asyncDispose]: async () => {
      // Without the configuration: some tests break it.
      const plain = [`--dir=${dataDir}`, '--local-config=', '--system-config='];
      const hasNoPods = haveEnded(children) && !existsSync(join(dataDir, 'pods'));
      if (!hasNoPods) await endAll(children, (args) => started([...plain, ...args], { env }).finished);
      const left = readdirSync(temporary);
      rmSync(dir, { recursive: true, force: true });
      if (left.length > 0) throw new Error(`rkt left temporary files: ${left.join(', ')}`);
    },
  };
}

/**
 * Ends what a test left running, pods included, and has the records collected. Throws when that cannot be done: whoever
 * deleted the records then would leave a pod that nobody knows of.
 */
async function endAll(
  children: readonly Started[],
  rkt: (args: readonly string[]) => Promise<Finished>,
): Promise<void> {
  const ended = haveEnded(children);
  for (const { child } of children) child.kill('SIGTERM');
  await stopRunning(rkt);
  const patience = setTimeout(() => {
    for (const { child } of children) child.kill('SIGKILL');
  }, 10_000);
  await Promise.allSettled(children.map(({ finished }) => finished));
  clearTimeout(patience);
  // One that was about to start may have become a pod in the meantime.
  if (!ended) await stopRunning(rkt);
  await succeed(rkt, ['gc', '--grace-period=0s', '--expire-prepared=0s']);
}

/** By themselves: after one that was killed, what it had started may go on and become a pod. */
function haveEnded(children: readonly Started[]): boolean {
  return children.every(({ child }) => child.exitCode !== null);
}

/** Whether apps of a listed pod run: also those of one whose monitor was killed. */
export function isLive({ state }: { readonly state: string }): boolean {
  return state === 'running' || state === 'orphaned';
}

async function stopRunning(rkt: (args: readonly string[]) => Promise<Finished>): Promise<void> {
  const pods: readonly { name: string; state: string }[] =
    JSON.parse((await succeed(rkt, ['list', '--format=json'])).stdout) ?? [];
  const running = pods.filter(isLive).map(({ name }) => name);
  if (running.length > 0) await succeed(rkt, ['stop', '--force', ...running]);
}

async function succeed(
  rkt: (args: readonly string[]) => Promise<Finished>,
  args: readonly string[],
): Promise<Finished> {
  const finished = await rkt(args);
  if (finished.status !== 0) throw new Error(`rkt ${args.join(' ')} ended with ${finished.status}: ${finished.stderr}`);
  return finished;
}

function started(args: readonly string[], options: SpawnOptions): Started {
  const child = spawn(executable, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  const finished = new Promise<Finished>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ status: status ?? (signal === null ? -1 : 128), ...output }));
  });
  return { child, output, finished };
}

/** Mirrors for `domains`, as the configuration kind of that name has it. */
export function mirrors(domains: readonly string[], host: string): unknown {
  return {
    rktKind: 'registryMirrors',
    rktVersion: 'v1',
    registries: domains.map((domain) => ({ domain, mirrors: [{ location: host, insecure: true }] })),
  };
}
