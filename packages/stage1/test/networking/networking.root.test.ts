// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createNetworking, type NetworkingOptions, type PortForward } from '../../src/networking/index.ts';
import {
  askUdp,
  fetchFrom,
  hostAddress,
  hostAddress6,
  type Namespace,
  newNamespace,
  type PrivateHost,
  privateHost,
} from './private-host.ts';

const web: PortForward = { protocol: 'tcp', hostPort: 18_080, podPort: 80 };
const requests = [{ name: 'default' }];

/** Addresses that are taken. host-local's lock and its note of the last address it gave stay for good. */
function reservations({ dataDir }: NetworkingOptions): readonly string[] {
  const dir = join(dataDir, 'networks/ipam/default');
  return existsSync(dir) ? readdirSync(dir).filter((name) => /^[\da-f.:]+$/.test(name)) : [];
}

describe.each(['nft', 'legacy'] as const)('with iptables-%s', (iptables) => {
  it('connects a pod, forwards its port from every address of the host, and leaves nothing', async () => {
    await using host = await privateHost(iptables);
    await using pod = await newNamespace();
    const networking = createNetworking(host.options);
    const podId = randomUUID();
    const before = host.state();
    const saved = await networking.setup({ podId, netnsPath: pod.path, requests, ports: [web] });
    expect(saved[0]?.ip).toMatch(/^172\.16\.28\.\d+$/);
    expect(host.state(), 'this kind of iptables is the one in use').toContain('-N CNI-HOSTPORT-DNAT');
    expect(pod.exec('ip', 'route')).toContain('default via 172.16.28.1 dev eth0');
    await pod.serve(80, 'pod');
    await host.namespace.serve(9000, 'host');
    expect(fetchFrom(pod, '172.16.28.1', 9000), 'the gateway').toContain('hello from host');
    for (const address of ['127.0.0.1', hostAddress, '172.16.28.1', '::1', hostAddress6]) {
      expect(fetchFrom(host.namespace, address, 18_080), address).toContain('hello from pod');
    }
    for (const address of [hostAddress, hostAddress6]) {
      expect(fetchFrom(pod, address, 18_080), `the pod itself, by ${address}`).toContain('hello from pod');
    }
    expect(fetchFrom(pod, '127.0.0.1', 80), 'lo is up').toContain('hello from pod');
    await networking.teardown({ podId, netnsPath: pod.path, saved });
    expect(host.state()).toEqual(before);
    expect(reservations(host.options)).toEqual([]);
    await networking.teardown({ podId, netnsPath: pod.path, saved });
    expect(host.state()).toEqual(before);
  });

  it('leaves nothing either when the namespace and the caller’s notes are gone', async () => {
    await using host = await privateHost(iptables);
    const networking = createNetworking(host.options);
    const podId = randomUUID();
    const before = host.state();
    {
      await using pod = await newNamespace();
      await networking.setup({ podId, netnsPath: pod.path, requests, ports: [web] });
    }
    await networking.teardown({ podId, saved: [] });
    // The kernel takes the pod's end of the pair, and with it ours, a moment after the last process.
    await expect.poll(() => host.state()).toEqual(before);
    expect(reservations(host.options)).toEqual([]);
  });

  it('keeps the forwarding of one pod when another ends', async () => {
    await using host = await privateHost(iptables);
    await using first = await newNamespace();
    await using second = await newNamespace();
    const networking = createNetworking(host.options);
    const [a, b] = [randomUUID(), randomUUID()];
    const before = host.state();
    const savedA = await networking.setup({ podId: a, netnsPath: first.path, requests, ports: [web] });
    const other = { ...web, hostPort: 18_081 };
    const savedB = await networking.setup({ podId: b, netnsPath: second.path, requests, ports: [other] });
    await second.serve(80, 'second');
    await networking.teardown({ podId: a, netnsPath: first.path, saved: savedA });
    for (const address of ['127.0.0.1', '::1']) {
      expect(fetchFrom(host.namespace, address, 18_081), address).toContain('hello from second');
    }
    expect(host.state().join('\n')).not.toContain(a);
    await networking.teardown({ podId: b, netnsPath: second.path, saved: savedB });
    expect(host.state()).toEqual(before);
  });
});

describe('several pods at once', () => {
  it('get different addresses and do not undo each other’s forwarding', async () => {
    await using host = await privateHost('nft');
    const networking = createNetworking(host.options);
    await using stack = new AsyncDisposableStack();
    const pods = await Promise.all(
      Array.from({ length: 4 }, async (_, index) => {
        const namespace = stack.use(await newNamespace());
        return { namespace, podId: randomUUID(), hostPort: 18_100 + index };
      }),
    );
    const before = host.state();
    const results = await Promise.all(
      pods.map(async ({ namespace, podId, hostPort }) => {
        const ports = [{ ...web, hostPort }];
        return { podId, saved: await networking.setup({ podId, netnsPath: namespace.path, requests, ports }) };
      }),
    );
    expect(new Set(results.map(({ saved }) => saved[0]?.ip)).size).toBe(pods.length);
    await Promise.all(results.map((result) => networking.teardown(result)));
    await Promise.all(
      pods.map(({ podId, namespace }) => networking.teardown({ podId, netnsPath: namespace.path, saved: [] })),
    );
    const rules = (state: readonly string[]) => state.filter((line) => /^-[ANP] /.test(line));
    expect(rules(host.state())).toEqual(rules(before));
    expect(reservations(host.options)).toEqual([]);
  });

  it('come and go without taking each other’s chains away', async () => {
    await using host = await privateHost('nft');
    const networking = createNetworking(host.options);
    await using stack = new AsyncDisposableStack();
    const before = host.state();
    const comeAndGo = async (index: number) => {
      const namespace = stack.use(await newNamespace());
      const ports = [{ ...web, hostPort: 18_200 + index }];
      for (let round = 0; round < 4; round++) {
        const pod = { podId: randomUUID(), netnsPath: namespace.path };
        const saved = await networking.setup({ ...pod, requests, ports });
        await networking.teardown({ ...pod, saved });
      }
    };
    await Promise.all(Array.from({ length: 4 }, (_, index) => comeAndGo(index)));
    expect(host.state()).toEqual(before);
  });

  it('cannot have the same port', async () => {
    await using host = await privateHost('nft');
    await using first = await newNamespace();
    await using second = await newNamespace();
    const networking = createNetworking(host.options);
    const owner = randomUUID();
    const saved = await networking.setup({ podId: owner, netnsPath: first.path, requests, ports: [web] });
    const before = host.state();
    const loser = networking.setup({ podId: randomUUID(), netnsPath: second.path, requests, ports: [web] });
    await expect(loser).rejects.toThrow(`host port 18080/tcp is already forwarded to container ${owner}`);
    expect(host.state()).toEqual(before);
    await networking.teardown({ podId: owner, netnsPath: first.path, saved });
  });
});

describe.each(['nft', 'legacy'] as const)('a host that drops what it forwards, with iptables-%s', (iptables) => {
  it('lets the pod out and its port in, and has its own rules alone again afterwards', async () => {
    await using host = await privateHost(iptables);
    await using pod = await newNamespace();
    await using world = await newNamespace();
    for (const family of ['iptables', 'ip6tables']) {
      host.namespace.exec(`/usr/sbin/${family}-${iptables}`, '-P', 'FORWARD', 'DROP');
    }
    const before = host.state();
    connectWorld(host, world);
    const networking = createNetworking(host.options);
    const podId = randomUUID();
    const saved = await networking.setup({ podId, netnsPath: pod.path, requests, ports: [web] });
    await pod.serve(80, 'pod');
    await world.serve(9000, 'world');
    for (const [outside, inside] of [
      ['198.51.100.2', '198.51.100.1'],
      ['2001:db8:1::2', '2001:db8:1::1'],
    ] as const) {
      expect(fetchFrom(pod, outside, 9000), `out to ${outside}`).toContain('hello from world');
      expect(fetchFrom(world, inside, 18_080), `in by ${inside}`).toContain('hello from pod');
    }
    expect(() => fetchFrom(world, saved[0]?.ip ?? '', 80), 'what is not forwarded').toThrow();
    await networking.teardown({ podId, netnsPath: pod.path, saved });
    host.namespace.exec('ip', 'link', 'del', 'world0');
    expect(host.state()).toEqual(before);
  });
});

/** A veth pair between the host and a namespace that stands for everything beyond it; it routes to pods by the host. */
function connectWorld(host: PrivateHost, world: Namespace): void {
  const pid = world.path.split('/')[2] ?? '';
  host.namespace.exec('ip', 'link', 'add', 'world0', 'type', 'veth', 'peer', 'name', 'up0', 'netns', pid);
  for (const [end, link, last] of [
    [host.namespace, 'world0', 1],
    [world, 'up0', 2],
  ] as const) {
    end.exec('ip', 'addr', 'add', `198.51.100.${last}/24`, 'dev', link);
    end.exec('ip', '-6', 'addr', 'add', `2001:db8:1::${last}/64`, 'dev', link, 'nodad');
    end.exec('ip', 'link', 'set', link, 'up');
  }
  world.exec('ip', 'route', 'add', '172.16.28.0/24', 'via', '198.51.100.1');
}

describe('forwarded ports', () => {
  it('over IPv6 do not make the host deaf to routers', async () => {
    await using host = await privateHost('nft');
    await using pod = await newNamespace();
    const setting = (name: string): string => host.namespace.exec('cat', `/proc/sys/net/ipv6/conf/${name}`).trim();
    for (const link of ['routed', 'addressed', 'deaf', 'pods']) {
      host.namespace.exec('ip', 'link', 'add', link, 'type', 'bridge');
      host.namespace.exec('ip', 'link', 'set', link, 'up');
    }
    // As the kernel notes what a router said.
    host.namespace.exec('ip', '-6', 'route', 'add', 'default', 'dev', 'routed', 'proto', 'ra');
    const lifetimes = ['valid_lft', '900', 'preferred_lft', '900'];
    host.namespace.exec('ip', '-6', 'addr', 'add', '2001:db8:2::1/64', 'dev', 'addressed', ...lifetimes);
    host.namespace.exec('ip', '-6', 'addr', 'add', '2001:db8:3::1/64', 'dev', 'deaf', ...lifetimes);
    host.namespace.exec('sh', '-c', 'echo 0 > /proc/sys/net/ipv6/conf/deaf/accept_ra');
    const listening = () =>
      ['routed', 'addressed', 'deaf', 'pods', 'default'].map((link) => setting(`${link}/accept_ra`));
    expect([setting('all/forwarding'), ...listening()]).toEqual(['0', '1', '1', '0', '1', '1']);
    const networking = createNetworking(host.options);
    const podId = randomUUID();
    const saved = await networking.setup({ podId, netnsPath: pod.path, requests, ports: [web] });
    expect([setting('all/forwarding'), ...listening()]).toEqual(['1', '2', '2', '0', '1', '1']);
    const [{ name = '' } = {}] = Object(saved[0]?.attachment.result)['interfaces'];
    expect(setting(`${name}/accept_ra`), 'what a pod says of routes').toBe('0');
    await networking.teardown({ podId, netnsPath: pod.path, saved });
  });

  it('are those of the addresses and protocols asked for', async () => {
    await using host = await privateHost('nft');
    await using pod = await newNamespace();
    const networking = createNetworking(host.options);
    const podId = randomUUID();
    const ports: readonly PortForward[] = [
      { ...web, hostPort: 18_001, hostIP: '127.0.0.1' },
      { ...web, hostPort: 18_002, hostIP: '::1' },
      { ...web, hostPort: 18_003, hostIP: '0.0.0.0' },
      { ...web, hostPort: 18_004, hostIP: '::' },
      { protocol: 'udp', hostPort: 18_006, podPort: 53 },
    ];
    const before = host.state();
    const saved = await networking.setup({ podId, netnsPath: pod.path, requests, ports });
    await pod.serve(80, 'pod');
    const reached = (port: number) =>
      ['127.0.0.1', hostAddress, '::1', hostAddress6].filter((address) => answers(host.namespace, address, port));
    expect(reached(18_001)).toEqual(['127.0.0.1']);
    expect(reached(18_002)).toEqual(['::1']);
    expect(reached(18_003)).toEqual(['127.0.0.1', hostAddress]);
    expect(reached(18_004)).toEqual(['::1', hostAddress6]);
    await pod.echoUdp(53);
    for (const address of ['127.0.0.1', hostAddress, '::1', hostAddress6]) {
      expect(askUdp(host.namespace, address, 18_006), address).toBe('echo');
    }
    await networking.teardown({ podId, netnsPath: pod.path, saved });
    expect(host.state()).toEqual(before);
  });

  it('of two pods at once go to one of them, and the other is told', async () => {
    await using host = await privateHost('nft');
    await using first = await newNamespace();
    await using second = await newNamespace();
    const networking = createNetworking(host.options);
    const before = host.state();
    const pods = [first, second].map(({ path }) => ({ podId: randomUUID(), netnsPath: path }));
    const outcomes = await Promise.allSettled(pods.map((pod) => networking.setup({ ...pod, requests, ports: [web] })));
    const lost = outcomes.filter(({ status }) => status === 'rejected');
    expect(lost).toMatchObject([{ reason: { code: 'ERR_RKT_STAGE1_PORT_IN_USE' } }]);
    for (const pod of pods) await networking.teardown({ ...pod, saved: [] });
    expect(host.state()).toEqual(before);
    expect(reservations(host.options)).toEqual([]);
  });
});

function answers(from: Namespace, address: string, port: number): boolean {
  try {
    return fetchFrom(from, address, port).includes('hello from pod');
  } catch {
    return false;
  }
}

describe('several networks', () => {
  it('give an interface each, in order, with the first one’s default route', async () => {
    await using host = await privateHost('nft');
    await using pod = await newNamespace();
    const dir = await mkdtemp(join(tmpdir(), 'rkt-net-conf-'));
    onTestFinished(() => rm(dir, { recursive: true }));
    await mkdir(join(dir, 'net.d'));
    const ipam = { type: 'host-local', ranges: [[{ subnet: '10.77.0.0/24' }]], dataDir: join(dir, 'ipam') };
    const plugins = [{ type: 'bridge', bridge: 'rkt-test0', isGateway: true, ipam }, { type: 'tuning' }];
    await writeFile(join(dir, 'net.d/lan.conflist'), JSON.stringify({ name: 'lan', cniVersion: '1.0.0', plugins }));
    const networking = createNetworking({ ...host.options, configDirs: [dir] });
    const podId = randomUUID();
    const all = [{ name: 'lan', args: 'IP=10.77.0.9' }, { name: 'default' }, { name: 'default-restricted' }];
    const saved = await networking.setup({ podId, netnsPath: pod.path, requests: all, ports: [web] });
    expect(saved.map(({ netName, ifName }) => `${ifName} ${netName}`)).toEqual([
      'eth0 lan',
      'eth1 default',
      'eth2 default-restricted',
    ]);
    expect(saved[0]?.ip).toBe('10.77.0.9');
    expect(pod.exec('ip', 'route')).toMatch(/^default via 172\.16\.28\.1 dev eth1/);
    await pod.serve(80, 'pod');
    for (const address of ['127.0.0.1', '::1']) {
      expect(fetchFrom(host.namespace, address, 18_080), address).toContain('hello from pod');
    }
    await networking.teardown({ podId, netnsPath: pod.path, saved });
    expect(readdirSync(join(dir, 'ipam/lan')).filter((name) => name.startsWith('10.'))).toEqual([]);
  });

  it('say when there is no address left, and which', async () => {
    await using host = await privateHost('nft');
    await using pod = await newNamespace();
    const dir = await mkdtemp(join(tmpdir(), 'rkt-net-conf-'));
    onTestFinished(() => rm(dir, { recursive: true }));
    await mkdir(join(dir, 'net.d'));
    const ipam = { type: 'host-local', ranges: [[{ subnet: '10.78.0.0/30' }]], dataDir: join(dir, 'ipam') };
    await writeFile(join(dir, 'net.d/tiny.conf'), JSON.stringify({ name: 'tiny', type: 'ptp', ipam }));
    const networking = createNetworking({ ...host.options, configDirs: [dir] });
    const tiny = { netnsPath: pod.path, requests: [{ name: 'tiny' }], ports: [] };
    const first = randomUUID();
    const saved = await networking.setup({ podId: first, ...tiny });
    await using other = await newNamespace();
    const full = networking.setup({ podId: randomUUID(), ...tiny, netnsPath: other.path });
    await expect(full).rejects.toMatchObject({
      code: 'ERR_RKT_STAGE1_ADDRESS_UNAVAILABLE',
      message: 'network "tiny" has no free address left of 10.78.0.1-10.78.0.2',
    });
    const taken = networking.setup({
      ...{ podId: randomUUID(), ...tiny, netnsPath: other.path },
      requests: [{ name: 'tiny', args: 'IP=10.78.0.2' }],
    });
    await expect(taken).rejects.toThrow('network "tiny" cannot give 10.78.0.2: it is taken, or not one of 10.78.0.1-');
    await networking.teardown({ podId: first, netnsPath: pod.path, saved });
  });
});

describe('a network of type macvlan', () => {
  it('makes pods neighbours of whoever is on the cable of an interface of the host, and leaves nothing', async () => {
    await using host = await privateHost('nft');
    await using neighbour = await newNamespace();
    await using stack = new AsyncDisposableStack();
    const dir = await mkdtemp(join(tmpdir(), 'rkt-net-conf-'));
    onTestFinished(() => rm(dir, { recursive: true }));
    const cable = ['link', 'add', 'cable0', 'type', 'veth', 'peer', 'name', 'cable1', 'netns'];
    host.namespace.exec('ip', ...cable, neighbour.path.split('/')[2] ?? '');
    host.namespace.exec('ip', 'link', 'set', 'cable0', 'up');
    neighbour.exec('ip', 'addr', 'add', '10.79.0.1/24', 'dev', 'cable1');
    neighbour.exec('ip', 'link', 'set', 'cable1', 'up');
    await neighbour.serve(80, 'neighbour');
    await mkdir(join(dir, 'net.d'));
    const ranges = [[{ subnet: '10.79.0.0/24', rangeStart: '10.79.0.10' }]];
    const ipam = { type: 'host-local', ranges, dataDir: join(dir, 'ipam') };
    const conf = { name: 'wire', cniVersion: '1.0.0', type: 'macvlan', master: 'cable0', mode: 'bridge', ipam };
    await writeFile(join(dir, 'net.d/wire.conf'), JSON.stringify(conf));
    const networking = createNetworking({ ...host.options, configDirs: [dir] });
    const before = host.state();
    const pods = [];
    for (let made = 0; made < 2; made += 1) {
      const pod = stack.use(await newNamespace());
      const how = { podId: randomUUID(), netnsPath: pod.path };
      pods.push({ pod, how, saved: await networking.setup({ ...how, requests: [{ name: 'wire' }], ports: [] }) });
    }
    const [first, second] = pods;
    if (first === undefined || second === undefined) throw new Error('two pods were made');
    expect(pods.map(({ saved }) => saved[0]?.ip)).toEqual(['10.79.0.10', '10.79.0.11']);
    expect(first.pod.exec('ip', '-d', 'link', 'show', 'eth0')).toContain('macvlan mode bridge');
    await second.pod.serve(80, 'second');
    expect(fetchFrom(first.pod, '10.79.0.1', 80)).toBe('hello from neighbour to ::ffff:10.79.0.10');
    expect(fetchFrom(first.pod, '10.79.0.11', 80)).toBe('hello from second to ::ffff:10.79.0.10');
    for (const { how, saved } of pods) await networking.teardown({ ...how, saved });
    expect(host.state()).toEqual(before);
    expect(first.pod.exec('ip', '-o', 'link')).not.toContain('eth0');
    expect(readdirSync(join(dir, 'ipam/wire')).filter((name) => name.startsWith('10.'))).toEqual([]);
  });
});

describe('a pod of which nothing is known but its id', () => {
  it.each([18_080, undefined])('is undone all the same (forwarded port: %s)', async (hostPort) => {
    await using host = await privateHost('nft');
    const networking = createNetworking(host.options);
    const podId = randomUUID();
    const before = host.state();
    {
      await using pod = await newNamespace();
      const ports = hostPort === undefined ? [] : [{ ...web, hostPort }];
      await networking.setup({ podId, netnsPath: pod.path, requests, ports });
    }
    await rm(join(host.options.dataDir, 'networks/pods'), { recursive: true });
    expect(await networking.remembered()).toEqual([podId]);
    await networking.teardown({ podId, saved: [], thorough: true });
    await expect.poll(() => host.state()).toEqual(before);
    expect(await networking.remembered()).toEqual([]);
  });
});

describe('default-restricted', () => {
  it('reaches the host and nothing beyond', async () => {
    await using host = await privateHost('nft');
    await using pod = await newNamespace();
    const networking = createNetworking(host.options);
    const podId = randomUUID();
    const restricted = [{ name: 'default-restricted', args: 'IP=172.16.29.77' }];
    const saved = await networking.setup({ podId, netnsPath: pod.path, requests: restricted, ports: [] });
    expect(saved[0]?.ip).toBe('172.16.29.77');
    await host.namespace.serve(9000, 'host');
    expect(fetchFrom(pod, '172.16.29.1', 9000)).toContain('hello from host');
    expect(pod.exec('ip', 'route')).not.toContain('default');
    expect(() => fetchFrom(pod, hostAddress, 9000)).toThrow();
    await networking.teardown({ podId, netnsPath: pod.path, saved });
  });
});
