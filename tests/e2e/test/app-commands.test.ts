// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { eventually } from '../src/eventually.ts';
import type { Started } from '../src/rkt.ts';
import { testMachine } from '../src/test-machine.ts';

const insecure = '--insecure-options=image';
const host = testMachine({ 'docker.io/library/redis': 'redis' });

async function sandbox(...flags: readonly string[]): Promise<{ readonly run: Started; readonly id: string }> {
  const run = host.start(['app', 'sandbox', ...flags]);
  const id = await eventually(() => /^([0-9a-f-]{36})\n/.exec(run.output.stdout)?.[1]);
  return { run, id };
}

async function app(...argv: readonly string[]) {
  return await host.rkt([insecure, 'app', ...argv]);
}

it('apps come and go in a pod that stays, talk over localhost, and are all stopped with it', async () => {
  const { run, id } = await sandbox('--net=none');
  expect(await app('add', id, 'docker://redis')).toMatchObject({ status: 0, stdout: 'redis\n' });
  const redis = host.start(['app', 'start', id]);
  await eventually(() => redis.output.stdout.includes('Ready to accept connections') || undefined);

  const script = ['--name=client', '--exec=/bin/sh', '--', '-c', 'redis-cli set a b; redis-cli get a; exit 3'];
  expect(await app('add', id, 'docker://redis', ...script)).toMatchObject({ status: 0, stdout: 'client\n' });
  expect(await app('start', '--app=client', id)).toMatchObject({ status: 3, stdout: 'OK\nb\n' });
  expect((await app('list', id)).stdout).toBe('NAME\tSTATE\nredis\trunning\nclient\texited\n');
  expect((await app('status', '--app=client', id)).stdout).toMatch(/^exit_code=3\n$/m);
  expect(await app('exec', '--app=redis', id, 'redis-cli', 'get', 'a')).toMatchObject({ status: 0, stdout: 'b\n' });
  expect((await app('rm', '--app=redis', id)).stderr).toMatch(/^rm: app "redis" of pod .* runs\n/);
  expect((await app('rm', '--app=client', id)).status).toBe(0);
  expect((await app('list', '--no-legend', id)).stdout).toBe('redis\trunning\n');

  expect((await app('stop', id)).status).toBe(0);
  expect((await redis.finished).status).toBe(0);
  expect((await host.rkt(['status', id])).stdout).toContain('state=running\n');
  const again = host.start(['app', 'start', id]);
  await eventually(() => again.output.stdout.includes('Ready to accept connections') || undefined);
  expect((await host.rkt(['stop', id])).stdout).toBe(`"${id}"\n`);
  expect((await again.finished).status).toBe(0);
  expect((await run.finished).status).toBe(0);
  expect((await host.rkt(['status', id])).stdout).toMatch(/^state=exited\n[\s\S]*^app-redis=0\n/m);
});

it('an image stays in the store while an app of it is in a pod', async () => {
  const { run, id } = await sandbox('--net=none');
  await app('add', id, 'docker://redis');
  const { stdout } = await host.rkt(['image', 'list', '--full', '--no-legend', '--fields=id']);
  expect((await host.rkt(['image', 'rm', stdout.trim()])).stderr).toContain('is in use');
  run.child.kill('SIGTERM');
  expect((await run.finished).status).toBe(0);
  expect((await host.rkt(['gc', '--grace-period=0s'])).status).toBe(0);
  expect((await host.rkt(['image', 'rm', stdout.trim()])).status).toBe(0);
});

it('gc clears away a sandbox that was killed, with the apps that others started in it', async () => {
  const { run, id } = await sandbox('--net=default');
  await app('add', id, 'docker://redis');
  const redis = host.start(['app', 'start', id]);
  await eventually(() => redis.output.stdout.includes('Ready to accept connections') || undefined);
  run.child.kill('SIGKILL');
  await run.finished;
  expect((await app('add', id, 'docker://redis', '--name=more')).stderr).toMatch(/^add: pod .* has no sandbox\n/);
  expect((await host.rkt(['gc', '--grace-period=0s'])).status).toBe(0);
  // Asked to, as by `stop`.
  expect((await redis.finished).status).toBe(0);
  expect((await host.rkt(['list', '--no-legend'])).stdout).toBe('');
});
