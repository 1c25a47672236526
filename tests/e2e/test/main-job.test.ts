// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from '../src/eventually.ts';
import { hostState } from '../src/host-state.ts';
import type { Started } from '../src/rkt.ts';
import { ask } from '../src/tcp.ts';
import { testMachine } from '../src/test-machine.ts';

const insecure = '--insecure-options=image';
const host = testMachine({ 'docker.io/library/redis': 'redis', 'quay.io/zanui/nginx': 'nginx' }, hostState);

interface ListedPod {
  readonly name: string;
  readonly state: string;
  readonly networks?: readonly { readonly ip?: string }[];
}

async function listedPods(): Promise<readonly ListedPod[]> {
  return JSON.parse((await host.rkt(['list', '--format=json'])).stdout) ?? [];
}

/** The pod that `rkt run` made, once it runs on its network. */
async function runningPod(run: Started): Promise<ListedPod> {
  try {
    return await eventually(async () =>
      (await listedPods()).find(({ state, networks }) => state === 'running' && networks?.[0]?.ip),
    );
  } catch (error) {
    throw new Error(`no pod runs on a network; rkt run said ${JSON.stringify(run.output)}`, { cause: error });
  }
}

function redisIsReady(started: Started): Promise<true> {
  return eventually(() => (started.output.stdout.includes('Ready to accept connections') ? true : undefined));
}

describe('fetch', () => {
  it('shows what it does on standard error and the short image ID alone on standard output', async () => {
    const { status, stdout, stderr } = await host.rkt([insecure, 'fetch', 'docker://quay.io/zanui/nginx']);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stdout).toMatch(/^sha512-[0-9a-f]{32}\n$/);
    expect(stderr).toContain('rkt: fetching image from docker://quay.io/zanui/nginx\n');
    expect(stderr).toContain('rkt: warning: image signature verification has been disabled\n');
    expect(stderr.match(/^Downloading layer: [0-9a-f]{64}$/gm)).toHaveLength(3);
  });

  it('gives an ID that is the SHA-512 of what image export writes', async () => {
    const { stdout } = await host.rkt([insecure, 'fetch', '--full', 'docker://redis']);
    const file = join(host.dir, 'redis.aci');
    expect((await host.rkt(['image', 'export', stdout.trim(), file])).status).toBe(0);
    expect(`sha512-${createHash('sha512').update(readFileSync(file)).digest('hex')}`).toBe(stdout.trim());
  });

  it('asks again with one request and downloads nothing when the tag is unchanged', async () => {
    const first = await host.rkt([insecure, 'fetch', 'docker://redis']);
    const asked = host.registry.requests.length;
    const second = await host.rkt([insecure, 'fetch', 'docker://docker.io/library/redis:latest']);
    expect(second.stdout).toBe(first.stdout);
    expect(host.registry.requests.slice(asked).map(({ method }) => method)).toEqual(['HEAD']);
  });
});

describe('run', () => {
  it('runs redis from Docker Hub’s name: answers through the forwarded port and rkt enter, stops on SIGTERM', async () => {
    const run = host.start([insecure, 'run', '--port=6379-tcp:16379', 'docker://redis']);
    await redisIsReady(run);
    expect(await ask('127.0.0.1', 16379, 'PING\r\n')).toBe('+PONG');
    const pod = await runningPod(run);
    const entered = await host.rkt(['enter', pod.name.slice(0, 8), 'redis-cli', 'ping']);
    expect(entered).toMatchObject({ status: 0, stdout: 'PONG\n' });
    run.child.kill('SIGTERM');
    expect((await run.finished).status).toBe(0);
    expect(run.output.stdout).toContain('User requested shutdown');
  });

  it('drops to the image’s own user and keeps the data volume writable', async () => {
    const run = host.start([insecure, 'run', 'docker://redis']);
    await redisIsReady(run);
    const pod = await runningPod(run);
    const who = await host.rkt(['enter', pod.name, 'sh', '-c', 'stat -c %U /data; stat -c %u /proc/1']);
    expect(who.stdout).toBe('redis\n999\n');
    expect(await ask(pod.networks?.[0]?.ip ?? '', 6379, 'SET a 1\r\n')).toBe('+OK');
    expect((await host.rkt(['stop', pod.name])).stdout).toBe(`"${pod.name}"\n`);
    expect((await run.finished).status).toBe(0);
  });

  it('runs an image by any unique prefix of its ID, without the network and without the flag', async () => {
    const fetched = await host.rkt([insecure, 'fetch', 'docker://quay.io/zanui/nginx']);
    const asked = host.registry.requests.length;
    const run = host.start(['run', fetched.stdout.trim().slice(0, 'sha512-'.length + 6)]);
    const pod = await runningPod(run);
    const page = await eventually(async () => {
      const response = await fetch(`http://${pod.networks?.[0]?.ip}/`, { headers: { connection: 'close' } });
      if (!response.ok) return undefined;
      return await response.text();
    });
    expect(page).toContain('Served by nginx');
    run.child.kill('SIGINT');
    expect((await run.finished).status).toBe(0);
    expect(host.registry.requests).toHaveLength(asked);
  });

  it.each(['host', 'none'])('passes the exit status through, network %s', async (network) => {
    const run = await host.rkt([
      insecure,
      'run',
      `--net=${network}`,
      'docker://redis',
      '--exec',
      '/bin/sh',
      '--',
      '-c',
      'echo out; echo err >&2; exit 7',
    ]);
    expect(run.status).toBe(7);
    expect(run.stdout).toBe('out\n');
    expect(run.stderr).toContain('err\n');
  });

  it('gives the same root filesystem from the directory backend', async () => {
    // Sizes of directories are the file system's own business; everything else an image states must be equal.
    const state =
      "find /usr /var /root -xdev \\( -type f -printf '%s ' , -printf '%p %y %m %U:%G %T@ %n %l\\n' \\) | sort";
    const list = ['--exec', '/bin/sh', '--', '-c', `${state}; find /usr -xdev -type f -exec sha512sum {} + | sort`];
    const sums = [];
    for (const backend of ['erofs', 'directory']) {
      const run = await host.rkt([
        insecure,
        `--tree-backend=${backend}`,
        'run',
        '--net=none',
        'docker://redis',
        ...list,
      ]);
      expect(run).toMatchObject({ status: 0 });
      expect(run.stdout.includes('/usr/bin/redis-server l 777 0:0')).toBe(true);
      sums.push(run.stdout.split('\n'));
    }
    const [erofs = [], directory = []] = sums;
    expect(erofs.length).toBeGreaterThan(1000);
    expect(directory.filter((line) => !erofs.includes(line))).toEqual([]);
    expect(directory).toHaveLength(erofs.length);
  });
});
