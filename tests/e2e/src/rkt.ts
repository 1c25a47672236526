// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
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
export interface Installation extends AsyncDisposable {
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

export interface Started {
  readonly child: ChildProcess;
  readonly output: { stdout: string; stderr: string };
  readonly finished: Promise<Finished>;
}

export function installation(): Installation {
  const dir = mkdtempSync(join(tmpdir(), 'rkt-e2e-'));
  const dataDir = join(dir, 'data');
  const configDir = join(dir, 'etc');
  mkdirSync(configDir);
  const globals = [`--dir=${dataDir}`, `--local-config=${configDir}`, `--system-config=${join(dir, 'none')}`];
  const temporary = join(dir, 'tmp');
  mkdirSync(temporary);
  const env = { ...process.env, TMPDIR: temporary };
  const begin = (args: readonly string[], options: SpawnOptions = {}) =>
    started([...globals, ...args], { env, ...options });
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
      await begin(['gc', '--grace-period=0s', '--expire-prepared=0s']).finished;
      const left = readdirSync(temporary);
      rmSync(dir, { recursive: true, force: true });
      if (left.length > 0) throw new Error(`rkt left temporary files: ${left.join(', ')}`);
    },
  };
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
