// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from '../src/eventually.ts';
import type { Started } from '../src/rkt.ts';
import { ask } from '../src/tcp.ts';
import { testMachine } from '../src/test-machine.ts';

const insecure = '--insecure-options=image';
const host = testMachine({ 'docker.io/library/redis': 'redis', 'quay.io/zanui/nginx': 'nginx' });

/** A second app of the redis image, which runs a script. */
function client(script: string): readonly string[] {
  return ['docker://redis', '--name=client', '--exec=/bin/sh', '--', '-c', script];
}

const awaitRedis = 'until [ "$(redis-cli ping)" = PONG ]; do sleep 0.05; done 2>/dev/null';

interface ListedPod {
  readonly name: string;
  readonly state: string;
  readonly apps: readonly { readonly name: string; readonly state: string; readonly exit_code?: number }[];
  readonly networks?: readonly { readonly ip?: string }[];
}

async function listedPods(): Promise<readonly ListedPod[]> {
  return JSON.parse((await host.rkt(['list', '--format=json'])).stdout) ?? [];
}

function isReady(run: Started): Promise<true> {
  return eventually(() => (run.output.stdout.includes('ready to go') ? true : undefined));
}

describe('two apps of one pod', () => {
  it('talk over localhost, also without a network, and end the pod well', async () => {
    const script = `${awaitRedis}; redis-cli set a b; redis-cli get a; redis-cli shutdown nosave`;
    const run = await host.rkt([insecure, 'run', '--net=none', 'docker://redis', ...client(script)]);
    expect(run).toMatchObject({ status: 0, stdout: expect.stringContaining('OK\nb\n') });
    const [pod] = await listedPods();
    expect(pod).toMatchObject({
      state: 'exited',
      apps: [
        { name: 'redis', state: 'exited', exit_code: 0 },
        { name: 'client', state: 'exited', exit_code: 0 },
      ],
    });
  });

  it('are both stopped when one fails, whose status it is; the statuses of both are kept', async () => {
    const run = await host.rkt([insecure, 'run', '--net=none', 'docker://redis', ...client(`${awaitRedis}; exit 5`)]);
    expect(run).toMatchObject({ status: 5, stderr: expect.stringContaining('app "client" ended with status 5') });
    expect(run.stdout).toContain('User requested shutdown');
    const [pod] = await listedPods();
    const status = await host.rkt(['status', pod?.name ?? '']);
    expect(status.stdout).toMatch(/^exited=true\napp-redis=0\napp-client=5\n/m);
  });

  it('signal each other in one PID namespace, which the pod was prepared with', async () => {
    const signal = 'if [ "$(cat $p/comm)" = redis-server ]; then kill -TERM $(basename $p); fi';
    const script = `${awaitRedis}; for p in /proc/[0-9]*; do ${signal}; done; echo $$ >/dev/stderr`;
    const flags = ['--pid=pod', '--net=none', '--quiet'];
    const { stdout } = await host.rkt([insecure, 'prepare', ...flags, 'docker://redis', ...client(script)]);
    const run = await host.rkt(['run-prepared', stdout.trim()]);
    expect(run).toMatchObject({ status: 0, stdout: expect.stringContaining('User requested shutdown') });
    expect(run.stderr).not.toMatch(/^1$/m);
  });

  it('are of different images, on one address, entered by name, stopped together', async () => {
    const run = host.start([
      ...[insecure, 'run', '--port=6379-tcp:16379', '--port=80-tcp:18080', 'docker://redis'],
      'docker://quay.io/zanui/nginx',
    ]);
    const pod = await eventually(async () => {
      const [found] = await listedPods();
      return found?.apps.every(({ state }) => state === 'running') && found.networks?.[0]?.ip ? found : undefined;
    });
    await eventually(async () => {
      return (await ask('127.0.0.1', 16379, 'PING\r\n').catch(() => undefined)) === '+PONG' ? true : undefined;
    });
    const page = await eventually(async () => {
      const response = await fetch('http://127.0.0.1:18080/', { headers: { connection: 'close' } }).catch(
        () => undefined,
      );
      return response?.ok ? await response.text() : undefined;
    });
    expect(page).toContain('Served by nginx');
    expect(pod.apps.map(({ name }) => name)).toEqual(['redis', 'nginx']);
    const entered = await host.rkt(['enter', '--app=redis', pod.name.slice(0, 8), 'redis-cli', 'ping']);
    expect(entered).toMatchObject({ status: 0, stdout: 'PONG\n' });
    expect(await host.rkt(['enter', pod.name, 'true'])).toMatchObject({
      status: 254,
      stderr: expect.stringMatching(/contains multiple apps: redis, nginx\nhint: name the app with --app/),
    });
    expect((await host.rkt(['stop', pod.name])).status).toBe(0);
    expect((await run.finished).status).toBe(0);
  });

  it('get the signals of rkt, and --rm leaves nothing', async () => {
    const script = 'trap "exit 7" TERM; echo ready to go; while :; do sleep 0.05; done';
    const argv = [
      insecure,
      'run',
      '--rm',
      '--net=none',
      'docker://redis',
      '--',
      '--save',
      '',
      '---',
      ...client(script),
    ];
    const run = host.start(argv);
    await isReady(run);
    await eventually(() => (run.output.stdout.includes('Ready to accept connections') ? true : undefined));
    run.child.kill('SIGTERM');
    expect((await run.finished).status).toBe(7);
    expect(run.output.stdout).toContain('User requested shutdown');
    expect(await listedPods()).toEqual([]);
  });
});

describe('a pod manifest', () => {
  it('of a pod that was prepared makes another one, which runs', async () => {
    const script = `${awaitRedis}; redis-cli shutdown nosave`;
    const prepared = await host.rkt([insecure, 'prepare', 'docker://redis', ...client(script)]);
    const manifest = (await host.rkt(['cat-manifest', prepared.stdout.trim()])).stdout;
    host.configure('pod.json', manifest);
    const asked = host.registry.requests.length;
    const run = await host.rkt(['run', '--net=none', `--pod-manifest=${join(host.configDir, 'pod.json')}`]);
    expect(run).toMatchObject({ status: 0 });
    expect(host.registry.requests).toHaveLength(asked);
    expect((await listedPods()).map(({ state }) => state)).toEqual(['prepared', 'exited']);
  });
});
