// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from '../src/eventually.ts';
import { settledHostState } from '../src/host-state.ts';
import type { Started } from '../src/rkt.ts';
import { ask } from '../src/tcp.ts';
import { machineWithStoredImages } from '../src/test-machine.ts';

const insecure = '--insecure-options=image';
const get = 'GET / HTTP/1.0\r\n\r\n';
const host = machineWithStoredImages({ 'docker.io/library/redis': 'redis', 'docker.io/library/nginx': 'nginx' });

interface Listed {
  readonly name: string;
  readonly state: string;
  readonly networks?: readonly { readonly netName: string; readonly ip?: string; readonly ip6?: string }[];
}

async function list(): Promise<readonly Listed[]> {
  return JSON.parse((await host.rkt(['list', '--format=json'])).stdout) ?? [];
}

async function runningPod(run: Started): Promise<Listed> {
  try {
    return await eventually(async () => (await list()).find(({ state, networks }) => state === 'running' && networks));
  } catch (error) {
    throw new Error(`no pod runs; rkt run said ${JSON.stringify(run.output)}`, { cause: error });
  }
}

/** The host's own addresses of both families, loopback's first. */
function hostAddresses(): readonly string[] {
  const shown = execFileSync('ip', ['-o', 'addr', 'show', 'scope', 'global', 'up'], { encoding: 'utf8' });
  const own = [...shown.matchAll(/^\d+: (?!veth)\S+ +inet6? ([^/]+)\/.*$/gm)]
    .filter(([line]) => !line.includes('tentative'))
    .flatMap(([, address]) => address ?? []);
  return ['127.0.0.1', '::1', ...own];
}

async function end(run: Started): Promise<void> {
  run.child.kill('SIGTERM');
  expect((await run.finished).status).toBe(0);
}

describe('a published port', () => {
  it('serves nginx at every address of the host, over IPv4 and IPv6, and to the pod itself', async () => {
    const run = host.start([insecure, 'run', '-p', '18089:80', 'docker://nginx']);
    const { name, networks } = await runningPod(run);
    for (const address of hostAddresses()) {
      expect(await eventually(() => ask(address, 18_089, get)), address).toContain('200 OK');
    }
    expect(networks).toMatchObject([{ netName: 'default', ip: /^172\.16\.28\./, ip6: /^fd72:6b74:1c::/ }]);
    const [{ ip, ip6 } = {}] = networks ?? [];
    const listed = (await host.rkt(['list', '--no-legend'])).stdout;
    expect(listed).toMatch(new RegExp(`\tdefault:ip4=${ip},ip6=${ip6}\n$`));
    expect((await host.rkt(['status', name])).stdout).toContain(`\nnetworks=default:ip4=${ip},ip6=${ip6}\n`);
    await end(run);
  });

  it('reaches the pod from inside by way of the host', async () => {
    const run = host.start([insecure, 'run', '--port=16391:6379/tcp', '--port=6379-tcp:16390', 'docker://redis']);
    await eventually(() => run.output.stdout.includes('Ready to accept connections') || undefined);
    const { name } = await runningPod(run);
    for (const address of hostAddresses().slice(2)) {
      for (const port of ['16390', '16391']) {
        const asked = await host.rkt(['enter', name, 'redis-cli', '-h', address, '-p', port, 'ping']);
        expect(asked, `${address} ${port}`).toMatchObject({ status: 0, stdout: 'PONG\n' });
      }
    }
    await end(run);
  });

  it('is only where it was asked for', async () => {
    const run = host.start([insecure, 'run', '-p127.0.0.1:18089:80', '-p=[::1]:18090:80', 'docker://nginx']);
    await runningPod(run);
    expect(await eventually(() => ask('127.0.0.1', 18_089, get))).toContain('200 OK');
    expect(await eventually(() => ask('::1', 18_090, get))).toContain('200 OK');
    await expect(ask('::1', 18_089, get)).rejects.toThrow();
    await expect(ask('127.0.0.1', 18_090, get)).rejects.toThrow();
    const [, , other = '127.0.0.2'] = hostAddresses();
    await expect(ask(other, 18_089, get)).rejects.toThrow();
    await end(run);
  });

  it('that somebody has is refused, with who it is', async () => {
    const server = await listening(18_089);
    const refused = await host.rkt([insecure, 'run', '-p', '18089:80', 'docker://nginx']);
    expect(refused.status).toBe(254);
    expect(refused.stderr).toMatch(
      new RegExp(`^run: host port 18089/tcp is already listened on by ".+" \\(process ${process.pid}\\)$`, 'm'),
    );
    expect(refused.stderr).toContain('hint: choose another port of the host');
    await new Promise((resolve) => server.close(resolve));

    const run = host.start([insecure, 'run', '-p', '18089:80', 'docker://nginx']);
    const { name } = await runningPod(run);
    const second = await host.rkt([insecure, 'run', '-p', '[::1]:18089:80', 'docker://nginx']);
    expect(second.stderr).toContain(`run: host port [::1]:18089/tcp is already forwarded to container ${name}\n`);
    await end(run);
  });
});

function listening(port: number): Promise<Server> {
  const server = createServer();
  return new Promise((resolve) => server.listen(port, '::', () => resolve(server)));
}

describe('networks', () => {
  it('of net.d are joined with arguments, several at once, and named in errors', async () => {
    const ipam = { type: 'host-local', ranges: [[{ subnet: '10.79.0.0/29' }]], dataDir: join(host.dir, 'ipam') };
    host.configure('net.d/10-lan.conf', { name: 'lan', type: 'ptp', ipam });
    const shell = ['docker://redis', '--exec', '/bin/sh', '--', '-c', 'cat /proc/net/route | cut -f1 | sort -u'];
    const run = await host.rkt([insecure, 'run', '--net=lan:IP=10.79.0.5,X=y', '--net=default', ...shell]);
    expect(run).toMatchObject({ status: 0, stdout: 'Iface\neth0\neth1\n' });
    const [pod] = await list();
    expect(pod?.networks).toMatchObject([
      { netName: 'lan', ip: '10.79.0.5' },
      { netName: 'default', ip: /^172/ },
    ]);
    const unknown = await host.rkt([insecure, 'run', '--net=wan', ...shell]);
    expect(unknown.status).toBe(254);
    expect(unknown.stderr).toContain(
      'run: network "wan" not found; known: all, host, none, default, default-restricted, lan\n',
    );
    const outside = await host.rkt([insecure, 'run', '--net=lan:IP=10.80.0.1', ...shell]);
    expect(outside.stderr).toContain(
      'run: network "lan" cannot give 10.80.0.1: it is not one of the network\'s addresses',
    );
    host.configure('net.d/20-bad.conf', { name: 'bad', plugins: [{ type: 'ptp', ipMasq: 'yes' }] });
    const bad = await host.rkt([insecure, 'run', ...shell]);
    expect(bad.stderr).toMatch(
      /^run: network configuration \S+\/net\.d\/20-bad\.conf: expected "plugins\[0\]\.ipMasq" to be true or false$/m,
    );
    host.configure('net.d/20-bad.conf', { name: 'bad', type: 'no-such-plugin' });
    const missing = await host.rkt([insecure, 'run', '--net=bad', ...shell]);
    expect(missing.stderr).toMatch(/^run: CNI plugin "no-such-plugin" is in none of .*containernetworking-plugins$/m);
  });

  it('give pods that start at once different addresses', async () => {
    const quiet = ['docker://redis', '--exec', '/bin/sh', '--', '-c', 'sleep 1'];
    const runs = await Promise.all(Array.from({ length: 4 }, () => host.rkt([insecure, 'run', ...quiet])));
    expect(runs.map(({ status }) => status)).toEqual([0, 0, 0, 0]);
    const addresses = (await list()).map(({ networks }) => networks?.[0]?.ip);
    expect(new Set(addresses).size).toBe(4);
  });

  it('resolve as was said, and know the pod', async () => {
    const flags = ['--dns=192.0.2.53', '--dns-search=a.example', '--dns-opt=ndots:2', '--hosts-entry=192.0.2.9=db'];
    const shell = ['docker://redis', '--exec', '/bin/sh', '--', '-c', 'cat /etc/resolv.conf; cat /etc/hosts'];
    const run = await host.rkt([insecure, 'run', '--hostname=me', ...flags, ...shell]);
    const [{ ip } = {}] = (await list())[0]?.networks ?? [];
    expect(run.stdout).toContain('nameserver 192.0.2.53\nsearch a.example\noptions ndots:2\n');
    expect(run.stdout).toContain(`${ip}\tme\n192.0.2.9\tdb\n`);
  });
});

describe('a machine that stopped without a word', () => {
  it.each(['kept', 'lost'])('has everything given back by gc when the directory of the pod was %s', async (fate) => {
    const run = host.start([insecure, 'run', '-p', '18089:80', 'docker://nginx']);
    const { name } = await runningPod(run);
    expect(await eventually(() => ask('::1', 18_089, get))).toContain('200 OK');
    const pods = join(host.dataDir, 'pods/run');
    const [app = ''] = readdirSync(join(pods, name, 'apps'));
    const status = JSON.parse(readFileSync(join(pods, name, 'apps', app, 'status.json'), 'utf8'));
    for (const pid of [run.child.pid, status.monitor.pid, status.process.pid]) process.kill(pid, 'SIGKILL');
    await run.finished;
    if (fate === 'lost') rmSync(join(pods, name), { recursive: true });
    await eventually(async () => (await list()).every(({ state }) => state === 'exited') || undefined);
    const reserved = join(host.dataDir, 'networks/ipam/default');
    expect(readdirSync(reserved).filter((file) => /^(172|fd72)/.test(file))).toHaveLength(2);
    // What has been killed is in its cgroup for a moment longer, and gc takes no network from what lives.
    await eventually(async () => {
      expect((await host.rkt(['gc', '--grace-period=0s'])).status).toBe(0);
      return readdirSync(reserved).some((file) => /^(172|fd72)/.test(file)) ? undefined : true;
    });
    expect(readdirSync(join(host.dataDir, 'networks/pods'))).toEqual([]);
    await eventually(() => (settledHostState().rules.join() === host.before.rules.join() ? true : undefined));
  });
});
