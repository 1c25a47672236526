// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { repositoryRoot } from './repository.ts';

/** A command that ended with something else than 0. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
  readonly exitCode: number;

  constructor(command: readonly string[], exitCode: number) {
    super(`${command.join(' ')} ended with status ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/** Runs a command with this process's streams, from the repository's root; rejects when it fails. */
export async function run(command: readonly string[], options: SpawnOptions = {}): Promise<void> {
  const exitCode = await exited(start(command, { stdio: 'inherit', ...options }));
  if (exitCode !== 0) throw new CommandFailed(command, exitCode);
}

/** Runs a command and gives its standard output; standard error is this process's. Rejects when it fails. */
export async function capture(command: readonly string[], options: SpawnOptions = {}): Promise<string> {
  const child = start(command, { stdio: ['ignore', 'pipe', 'inherit'], ...options });
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const exitCode = await exited(child);
  if (exitCode !== 0) throw new CommandFailed(command, exitCode);
  return Buffer.concat(chunks).toString('utf8');
}

/** Runs a command without standard input whose output, both streams in one, `write` is given. Rejects when it fails. */
export async function gather(
  command: readonly string[],
  write: (chunk: Uint8Array) => void,
  options: SpawnOptions = {},
): Promise<void> {
  const child = start(command, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', write);
  const exitCode = await exited(child);
  if (exitCode !== 0) throw new CommandFailed(command, exitCode);
}

export function start(command: readonly string[], options: SpawnOptions): ChildProcess {
  const [file = '', ...args] = command;
  const child = spawn(file, args, { cwd: repositoryRoot, ...options });
  running.add(child);
  for (const event of ['close', 'error']) child.on(event, () => running.delete(child));
  return child;
}

const running = new Set<ChildProcess>();

/** Sends a signal to every command that runs. */
export function signalCommands(signal: NodeJS.Signals): void {
  for (const child of running) child.kill(signal);
}

/** The status a shell would report: 128 + signal number for a killed process. */
export function exited(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
