// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from '../src/eventually.ts';
import { hostState } from '../src/host-state.ts';
import type { Started } from '../src/rkt.ts';
import { ask } from '../src/tcp.ts';
import { machineWithStoredImages } from '../src/test-machine.ts';

const insecure = '--insecure-options=image';
const host = machineWithStoredImages({ 'docker.io/library/redis': 'redis' }, hostState);

const fly = ['--flavor=fly', 'docker://redis'] as const;

async function runningPod(run: Started): Promise<string> {
  return await eventually(async () => {
    const pods: readonly { name: string; state: string }[] =
      JSON.parse((await host.rkt(['list', '--format=json'])).stdout) ?? [];
    const name = pods.find(({ state }) => state === 'running')?.name;
    if (name === undefined && run.child.exitCode !== null) throw new Error(JSON.stringify(run.output));
    return name;
  });
}

describe('flavor fly', () => {
  it('runs redis on the host’s own network, is entered and stopped, and shows no mount on the host', async () => {
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
    const run = host.start([insecure, 'run', ...fly, '--', 'redis-server', '--port', '16399', '--save', '']);
    expect(await eventually(() => ask('127.0.0.1', 16_399, 'PING\r\n'))).toBe('+PONG');
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(mounts);
    const pod = await runningPod(run);
    const entered = await host.rkt(['enter', pod, 'sh', '-c', 'redis-cli -p 16399 ping; readlink /proc/self/ns/net']);
    expect(entered).toMatchObject({ status: 0, stdout: `PONG\n${readNetwork()}\n` });
    expect((await host.rkt(['stop', pod])).stdout).toBe(`"${pod}"\n`);
    expect((await run.finished).status).toBe(0);
    expect((await host.rkt(['status', pod])).stdout).toContain('\nexited=true\napp-redis=0\n');
  });

  it('gives the status of its app, its output, a volume of the host and the user that was asked for', async () => {
    mkdirSync(join(host.dir, 'shared'), { mode: 0o777 });
    writeFileSync(join(host.dir, 'shared/in'), 'from the host\n');
    const volume = ['--volume', `v,kind=host,source=${join(host.dir, 'shared')}`, '--mount', 'volume=v,target=/shared'];
    const script = 'id -u; cat /shared/in; pwd; echo $GREETING; exit 9';
    const flags = ['--user=redis', '--working-dir=/usr', '--environment=GREETING=hello', '--exec=/bin/sh'];
    const run = await host.rkt([insecure, 'run', '--rm', ...volume, ...fly, ...flags, '--', '-c', script]);
    expect(run).toMatchObject({ status: 9, stdout: '999\nfrom the host\n/usr\nhello\n' });
    expect((await host.rkt(['list', '--no-legend'])).stdout).toBe('');
  });

  it('is what a configuration of rkt 1.30 names, and so is its flag', async () => {
    const image = ['docker://redis', '--exec=/bin/readlink', '--', '/proc/self/ns/net'];
    const name = 'coreos.com/rkt/stage1-fly';
    const flagged = await host.rkt([insecure, 'run', `--stage1-name=${name}:1.30.0`, ...image]);
    expect(flagged).toMatchObject({ status: 0, stdout: `${readNetwork()}\n` });
    host.configure('stage1.d/fly.json', {
      rktKind: 'stage1',
      rktVersion: 'v1',
      name,
      version: '1.30.0',
      location: '/x',
    });
    expect((await host.rkt([insecure, 'run', ...image])).stdout).toBe(`${readNetwork()}\n`);
    const confined = await host.rkt([insecure, 'run', '--flavor=oci', '--net=none', ...image]);
    expect(confined.stdout).not.toBe(`${readNetwork()}\n`);
  });

  it('is prepared, run later, and removed', async () => {
    const prepared = await host.rkt([insecure, 'prepare', ...fly, '--exec=/bin/sh', '--', '-c', 'exit 4']);
    const uuid = prepared.stdout.trim();
    expect((await host.rkt(['run-prepared', uuid])).status).toBe(4);
    expect((await host.rkt(['rm', uuid])).stdout).toBe(`"${uuid}"\n`);
  });

  it.each([
    [
      ['--net=none', ...fly],
      'flavor fly has no network but the host\'s, got "none": leave --net out or say --net=host',
    ],
    [['-p', '8080:80', ...fly], "--publish flag does not work with 'host' networking"],
    [['--detach', ...fly], 'flavor fly runs apps in the foreground alone, without --detach'],
    [[...fly, 'docker://redis', '--name=b'], 'flavor fly runs one app in a pod, got 2'],
    [['--flavor=kvm', 'docker://redis'], 'flavor "kvm" is not known, expected one of oci, fly'],
  ])('is refused what it cannot do: %j', async (args, said) => {
    const { status, stdout, stderr } = await host.rkt([insecure, 'run', ...args]);
    expect({ status, stdout }).toEqual({ status: 254, stdout: '' });
    expect(stderr.split('\n').find((line) => line.startsWith('run: '))).toBe(`run: ${said}`);
  });

  it('warns of what it ignores', async () => {
    const run = await host.rkt([insecure, 'run', '--hostname=other', ...fly, '--memory=64Mi', '--exec=/bin/true']);
    expect(run.status).toBe(0);
    expect(run.stderr.match(/^run: warning: .*$/gm)).toEqual([
      'run: warning: flavor fly leaves the host its name: host name "other" is ignored',
      'run: warning: flavor fly isolates nothing: isolator "resource/memory" of app "redis" is ignored',
    ]);
  });

  it('leaves nothing when rkt is killed and gc has been there', async () => {
    const run = host.start([insecure, 'run', ...fly, '--', 'redis-server', '--port', '16399', '--save', '']);
    await eventually(() => ask('127.0.0.1', 16_399, 'PING\r\n'));
    const pod = await runningPod(run);
    run.child.kill('SIGKILL');
    await once(run.child, 'exit');
    expect((await host.rkt(['status', pod])).stdout).toContain('state=running\n');
    expect((await host.rkt(['gc', '--grace-period=0s'])).status).toBe(0);
    expect(await ask('127.0.0.1', 16_399, 'PING\r\n')).toBe('+PONG');
    expect((await host.rkt(['stop', '--force', pod])).status).toBe(0);
    expect((await host.rkt(['gc', '--grace-period=0s'])).status).toBe(0);
    expect((await host.rkt(['list', '--no-legend'])).stdout).toBe('');
  });
});

function readNetwork(): string {
  return readlinkSync('/proc/self/ns/net');
}
