// SPDX-License-Identifier: Apache-2.0
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFailed, capture, exited, run, start } from '../command.ts';
import { endedByUser } from './ended-by-user.ts';

/** A pod that runs, as `rkt list --format=json` shows it. */
export interface RunningPod {
  readonly id: string;
  /** On the pod's default network. */
  readonly ip: string;
}

const insecure = '--insecure-options=image';

/** `rkt fetch`: gives the image ID it prints as its last line. */
export async function fetchImage(image: string): Promise<string> {
  const command = ['rkt', insecure, 'fetch', image];
  show(command);
  const output = await capture(command);
  process.stdout.write(output);
  return output.trim().split('\n').at(-1) ?? '';
}

/** `rkt run` with this terminal, until the user ends it. */
export async function runInForeground(image: string): Promise<void> {
  const command = ['rkt', insecure, 'run', image];
  show(command);
  try {
    await run(command);
  } catch (error) {
    if (!endedByUser(error)) throw error;
  }
}

/** `rkt run` beside us while `probe` looks at the pod; then `rkt stop`. Fails when the pod does not end cleanly. */
export async function runPod(image: string, what: string, probe: (pod: RunningPod) => Promise<void>): Promise<void> {
  const command = ['rkt', insecure, 'run', image];
  const before = await podIds();
  show(command);
  const child = start(command, { stdio: ['ignore', 'inherit', 'inherit'] });
  const ended = exited(child);
  try {
    const pod = await appearingPod(before, child);
    await probe(pod);
    process.stderr.write(`demo: ${what}\n`);
    show(['rkt', 'stop', pod.id.slice(0, 8)]);
    await run(['rkt', 'stop', pod.id.slice(0, 8)]);
  } catch (error) {
    child.kill('SIGTERM');
    throw error;
  } finally {
    await ended;
  }
  const status = await ended;
  if (status !== 0) throw new CommandFailed(command, status);
}

async function appearingPod(before: ReadonlySet<string>, child: ChildProcess): Promise<RunningPod> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline && child.exitCode === null) {
    const pod = (await listPods()).find(({ name, state }) => !before.has(name) && state === 'running');
    const ip = pod?.networks?.find(({ ip }) => ip !== undefined)?.ip;
    if (pod !== undefined && ip !== undefined) return { id: pod.name, ip };
    await sleep(200);
  }
  throw new Error('the pod did not come up within 60 s');
}

interface ListedPod {
  readonly name: string;
  readonly state: string;
  readonly networks?: readonly { readonly ip?: string }[];
}

async function listPods(): Promise<readonly ListedPod[]> {
  return JSON.parse(await capture(['rkt', 'list', '--format=json'])) ?? [];
}

async function podIds(): Promise<ReadonlySet<string>> {
  return new Set((await listPods()).map(({ name }) => name));
}

function show(command: readonly string[]): void {
  process.stderr.write(`\n# ${command.join(' ')}\n`);
}
