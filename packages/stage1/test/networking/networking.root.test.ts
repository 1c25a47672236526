// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  createNetworking,
  type NetworkingOptions,
  type NetworkNotice,
  type PortForward,
} from '../../src/networking/index.ts';
import { fetchFrom, hostAddress, newNamespace, privateHost } from './private-host.ts';

const web: PortForward = { protocol: 'tcp', hostPort: 18_080, podPort: 80 };
const requests = [{ name: 'default' }];

/** Addresses that are taken. host-local's lock and its note of the last address it gave stay for good. */
function reservations({ dataDir }: NetworkingOptions): readonly string[] {
  const dir = join(dataDir, 'networks/ipam/default');
  return existsSync(dir) ? readdirSync(dir).filter((name) => /^[\d.]+$/.test(name)) : [];
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
    for (const address of ['127.0.0.1', hostAddress, '172.16.28.1']) {
      expect(fetchFrom(host.namespace, address, 18_080), address).toContain('hello from pod');
    }
    expect(fetchFrom(pod, hostAddress, 18_080), 'the pod itself, by way of the host').toContain('hello from pod');
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
    expect(fetchFrom(host.namespace, '127.0.0.1', 18_081)).toContain('hello from second');
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

describe('a host with a FORWARD policy of DROP', () => {
  it.each(['nft', 'legacy'] as const)('is noticed with iptables-%s', async (iptables) => {
    await using host = await privateHost(iptables);
    await using pod = await newNamespace();
    host.namespace.exec(`/usr/sbin/iptables-${iptables}`, '-P', 'FORWARD', 'DROP');
    const networking = createNetworking(host.options);
    const podId = randomUUID();
    const kinds: string[] = [];
    const onNotice = ({ kind }: NetworkNotice) => void kinds.push(kind);
    const saved = await networking.setup({ podId, netnsPath: pod.path, requests, ports: [], onNotice });
    expect(kinds).toEqual(['forwarding-dropped']);
    await networking.teardown({ podId, netnsPath: pod.path, saved });
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
