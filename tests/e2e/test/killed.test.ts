// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from '../src/eventually.ts';
import { settledHostState } from '../src/host-state.ts';
import { isLive, type Started } from '../src/rkt.ts';
import { ask } from '../src/tcp.ts';
import { machineWithStoredImages } from '../src/test-machine.ts';

const host = machineWithStoredImages({ 'docker.io/library/redis': 'redis' });

interface Listed {
  readonly name: string;
  readonly state: string;
  readonly networks?: readonly { readonly ip?: string }[];
}

/** Redis with a forwarded port, whose `rkt` has been killed with no chance to clear up. */
async function orphan(): Promise<Listed> {
  const run: Started = host.start(['--insecure-options=image', 'run', '--port=6379-tcp:16380', 'docker://redis']);
  await eventually(() => run.output.stdout.includes('Ready to accept connections') || undefined);
  run.child.kill('SIGKILL');
  await new Promise((resolve) => run.child.once('exit', resolve));
  const pod = (await list()).find(({ state }) => state === 'running');
  if (pod === undefined) throw new Error('the pod does not run any more');
  return pod;
}

async function list(): Promise<readonly Listed[]> {
  return JSON.parse((await host.rkt(['list', '--format=json'])).stdout) ?? [];
}

const collect = ['gc', '--grace-period=0s'];

it('leaves the app running when rkt is killed; another rkt enters it, spares it, stops it and clears up', async () => {
  const pod = await orphan();
  expect(await ask('127.0.0.1', 16380, 'PING\r\n')).toBe('+PONG');
  expect(await host.rkt(['enter', pod.name, 'redis-cli', 'ping'])).toMatchObject({ status: 0, stdout: 'PONG\n' });
  expect((await host.rkt(collect)).status).toBe(0);
  expect(await ask(pod.networks?.[0]?.ip ?? '', 6379, 'PING\r\n')).toBe('+PONG');

  expect(await host.rkt(['stop', pod.name])).toMatchObject({ status: 0, stdout: `"${pod.name}"\n` });
  expect((await list()).map(({ state }) => state)).toEqual(['exited']);
  // Stopped is enough for the host: gc only deletes the pod's files.
  expect(settledHostState()).toEqual(host.before);
  expect((await host.rkt(collect)).status).toBe(0);
  expect(await list()).toEqual([]);
});

it('is stopped by two at once', async () => {
  const pod = await orphan();
  const stops = await Promise.all([host.rkt(['stop', pod.name]), host.rkt(['stop', '--force', pod.name])]);
  expect(stops.map(({ status, stderr }) => ({ status, stderr }))).toEqual([
    { status: 0, stderr: '' },
    { status: 0, stderr: '' },
  ]);
  expect(settledHostState()).toEqual(host.before);
});

it('leaves with --rm what gc removes when rkt is killed, and nothing otherwise', async () => {
  const run = (...args: readonly string[]) => ['--insecure-options=image', 'run', '--rm', 'docker://redis', ...args];
  expect(await host.rkt(run('--exec=/bin/sh', '--', '-c', 'exit 6'))).toMatchObject({ status: 6 });
  expect(await host.rkt(run('--exec=/nothing'))).toMatchObject({ status: 254 });
  const interrupted = host.start(run());
  await eventually(() => interrupted.output.stdout.includes('Ready to accept connections') || undefined);
  interrupted.child.kill('SIGINT');
  expect((await interrupted.finished).status).toBe(0);
  expect(await list()).toEqual([]);
  for (const stage of readdirSync(join(host.dataDir, 'pods'))) {
    expect(readdirSync(join(host.dataDir, 'pods', stage))).toEqual([]);
  }
  expect(settledHostState()).toEqual(host.before);

  const killed = host.start(run());
  await eventually(() => killed.output.stdout.includes('Ready to accept connections') || undefined);
  killed.child.kill('SIGKILL');
  // Not for its output to end: the app goes on, and has it.
  await new Promise((resolve) => killed.child.once('exit', resolve));
  const [pod] = await list();
  expect(pod?.state).toBe('running');
  expect((await host.rkt(['stop', pod?.name ?? ''])).status).toBe(0);
  expect((await host.rkt(collect)).status).toBe(0);
  expect(await list()).toEqual([]);
});

it('is cleared away by gc alone when the app’s own monitor was killed, too', async () => {
  const pod = await orphan();
  const apps = join(host.dataDir, 'pods/run', pod.name, 'apps');
  const [app = ''] = readdirSync(apps);
  const status = JSON.parse(readFileSync(join(apps, app, 'status.json'), 'utf8'));
  process.kill(status.monitor.pid, 'SIGKILL');
  await eventually(async () => (await list()).every(({ state }) => state === 'orphaned') || undefined);
  expect((await host.rkt(collect)).status).toBe(0);
  expect(await list()).toEqual([]);
  expect(settledHostState()).toEqual(host.before);
});

it('of several apps goes on when rkt is killed, is stopped as a whole and cleared away', async () => {
  const script = 'trap "exit 4" TERM; echo ready to go; while :; do sleep 0.05; done';
  const second = ['docker://redis', '--name=second', '--exec=/bin/sh', '--', '-c', script];
  const run = host.start(['--insecure-options=image', 'run', '--net=none', 'docker://redis', ...second]);
  await eventually(() => {
    const { stdout } = run.output;
    return (stdout.includes('ready to go') && stdout.includes('Ready to accept connections')) || undefined;
  });
  run.child.kill('SIGKILL');
  await new Promise((resolve) => run.child.once('exit', resolve));
  const [pod] = await list();
  expect(pod?.state).toBe('running');
  const name = pod?.name ?? '';
  expect(await host.rkt(['enter', '--app=redis', name, 'redis-cli', 'ping'])).toMatchObject({ stdout: 'PONG\n' });
  expect((await host.rkt(['stop', name])).status).toBe(0);
  expect(settledHostState()).toEqual(host.before);
  expect((await host.rkt(collect)).status).toBe(0);
  expect(await list()).toEqual([]);
});

const redis = ['--port=6379-tcp:16383', 'docker://redis'];
const ended = ['docker://redis', '--exec=/bin/true'];

/** A command that is killed at some step of its work, and what there is to be before. */
const steps: readonly {
  readonly name: string;
  readonly before?: readonly string[];
  readonly args: readonly string[];
}[] = [
  { name: 'prepare', args: ['prepare', ...redis] },
  { name: 'run', args: ['run', ...redis] },
  { name: 'run --rm', args: ['run', '--rm', ...ended] },
  {
    name: 'run -d --restart',
    args: ['run', '-d', '--restart=always', ...redis],
  },
  { name: 'stop', before: ['run', '-d', '--quiet', ...redis], args: ['stop', 'UUID'] },
  { name: 'gc', before: ['run', '--quiet', ...ended], args: collect },
];

describe.each(steps)('$name that is killed', ({ before: first, args }) => {
  it.each([[60], [110], [170], [250]])('%i ms after its start leaves nothing that gc does not find', async (ms) => {
    const insecure = '--insecure-options=image';
    if (first !== undefined) expect((await host.rkt([insecure, ...first])).status).toBe(0);
    const [pod] = await list();
    const killed = host.start([insecure, ...args.map((arg) => (arg === 'UUID' ? (pod?.name ?? '') : arg))]);
    await new Promise((resolve) => setTimeout(resolve, ms));
    killed.child.kill('SIGKILL');
    if (killed.child.exitCode === null && killed.child.signalCode === null) {
      await new Promise((resolve) => killed.child.once('exit', resolve));
    }
    // What runs may be stopped; everything else is for gc alone. What rkt had started takes a moment to see that it has gone.
    await eventually(async () => {
      const running = (await list()).filter(isLive).map(({ name }) => name);
      if (running.length > 0) expect((await host.rkt(['stop', '--force', ...running])).status).toBe(0);
      expect((await host.rkt([...collect, '--expire-prepared=0s'])).status).toBe(0);
      expect(await list()).toEqual([]);
      expect(settledHostState()).toEqual(host.before);
      return true;
    });
  });
});
