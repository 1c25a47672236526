// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from './temporary-directory.ts';

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The first process that ends in peace leaves compiled modules for the others: tests start dozens. */
let compileCache: string | undefined;

/** Runs a script of `test/processes` in a Node of its own. */
export async function runNode(script: string, ...parameters: readonly string[]): Promise<Outcome> {
  const path = fileURLToPath(new URL(`processes/${script}`, import.meta.url));
  compileCache ??= temporaryDirectory();
  const child = spawn(process.execPath, [...process.execArgv, path, ...parameters], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  return await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ stdout, stderr, status, signal }));
  });
}
