// SPDX-License-Identifier: Apache-2.0

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createNetworking, type PortForward } from '../../src/networking/index.ts';
import { type FakeHost, fakeHost, type SeenCall } from './fake-plugins.ts';

const podId = '6f1b2c3d-0000-4000-8000-000000000001';
const netnsPath = '/proc/7/ns/net';
const http: PortForward = { protocol: 'tcp', hostPort: 1, podPort: 80, hostIP: '127.0.0.1' };
const setup = { podId, netnsPath, requests: [{ name: 'default' }], ports: [] };
const code = (suffix: string) => expect.objectContaining({ code: `ERR_RKT_STAGE1_${suffix}` });
const cniError = (fields: object) => ({ exitCode: 1, stdout: JSON.stringify(fields) });

/** Loopback is brought up at the same time as the first interface, and may be seen before or after it. */
function lastOf({ calls }: FakeHost): SeenCall | undefined {
  return calls.findLast(({ what }) => !what.includes('loopback'));
}

describe('setup', () => {
  it('brings up lo and eth0 of the default network, telling plugins only what the protocol has', async () => {
    const host = await fakeHost();
    const results = await createNetworking(host.options).setup(setup);
    expect(host.pluginCalls().toSorted()).toEqual(['ADD loopback lo', 'ADD ptp eth0']);
    const ptp = lastOf(host);
    expect(ptp?.config).toMatchObject({ cniVersion: '1.0.0', name: 'default', type: 'ptp', ipMasq: true });
    expect(ptp?.config['ipam']).toMatchObject({
      ...{ type: 'host-local', dataDir: join(host.options.dataDir, 'networks/ipam') },
      ...{ ranges: [[{ subnet: '172.16.28.0/24' }]], routes: [{ dst: '0.0.0.0/0' }] },
    });
    expect(ptp?.env).toEqual({
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      CNI_COMMAND: 'ADD',
      CNI_CONTAINERID: podId,
      CNI_NETNS: netnsPath,
      CNI_IFNAME: 'eth0',
      CNI_ARGS: 'IgnoreUnknown=1',
      CNI_PATH: host.options.pluginDirs?.join(':'),
    });
    expect(results).toMatchObject([{ netName: 'default', ifName: 'eth0', ip: '172.16.28.2', ip6: 'fd00::2' }]);
  });

  it('takes from the result’s DNS only what resolv.conf can hold', async () => {
    const host = await fakeHost();
    const [result] = await createNetworking(host.options).setup(setup);
    expect(result?.dns).toEqual({
      ...{ nameservers: ['10.0.0.1', '::1'], search: ['example.com'], options: ['ndots:2'], domain: 'pod.example' },
    });
  });

  it('does nothing for host, and only lo for none', async () => {
    const host = await fakeHost();
    const networking = createNetworking(host.options);
    expect(await networking.setup({ ...setup, requests: [{ name: 'host' }] })).toEqual([]);
    expect(host.calls).toEqual([]);
    expect(await networking.setup({ ...setup, requests: [{ name: 'none' }] })).toEqual([]);
    expect(host.pluginCalls()).toEqual(['ADD loopback lo']);
  });

  it('gives a restricted network no default route and no masquerading', async () => {
    const host = await fakeHost();
    await createNetworking(host.options).setup({ ...setup, requests: [{ name: 'default-restricted' }] });
    const { ipMasq, ipam } = lastOf(host)?.config ?? {};
    expect(ipMasq).toBe(false);
    expect(ipam).not.toHaveProperty('routes');
  });

  it('numbers interfaces in the order asked for and passes arguments on', async () => {
    const host = await fakeHost();
    await host.writeConfig('etc', '10-lan.conf', { name: 'lan', type: 'bridge', cniVersion: '0.3.1' });
    const requests = [{ name: 'lan', args: 'IP=10.1.2.3;MAC=x' }, { name: 'default' }];
    const results = await createNetworking(host.options).setup({ ...setup, requests });
    expect(results.map(({ ifName, netName }) => [ifName, netName])).toEqual([
      ['eth0', 'lan'],
      ['eth1', 'default'],
    ]);
    const bridge = host.calls.find(({ what }) => what === 'ADD bridge eth0');
    expect(bridge?.env['CNI_ARGS']).toBe('IgnoreUnknown=1;IP=10.1.2.3;MAC=x');
    expect(bridge?.config).toEqual({ cniVersion: '0.3.1', name: 'lan', type: 'bridge' });
  });

  it('hands each plugin of a list the result of the one before', async () => {
    const host = await fakeHost();
    const plugins = [{ type: 'ptp' }, { type: 'bridge' }];
    await host.writeConfig('etc', 'a.conflist', { name: 'chain', cniVersion: '1.0.0', plugins });
    const [result] = await createNetworking(host.options).setup({ ...setup, requests: [{ name: 'chain' }] });
    const second = lastOf(host);
    expect(second?.what).toBe('ADD bridge eth0');
    expect(second?.config['prevResult']).toMatchObject({ ips: [{ address: '172.16.28.2/24' }, {}] });
    expect(result?.attachment.result).toEqual(second?.config['prevResult']);
  });

  it('lets later directories replace networks, the built-in ones too', async () => {
    const host = await fakeHost();
    await host.writeConfig('usr', 'a.conf', { name: 'default', type: 'ptp' });
    await host.writeConfig('etc', 'z.conf', { name: 'default', type: 'bridge' });
    await createNetworking(host.options).setup(setup);
    expect(host.pluginCalls().toSorted()).toEqual(['ADD bridge eth0', 'ADD loopback lo']);
  });

  it('expands all to default and everything configured', async () => {
    const host = await fakeHost();
    await host.writeConfig('etc', 'lan.conf', { name: 'lan', type: 'bridge' });
    const results = await createNetworking(host.options).setup({ ...setup, requests: [{ name: 'all' }] });
    expect(results.map(({ netName }) => netName)).toEqual(['default', 'lan']);
  });

  it('falls back to a version every plugin of the list speaks', async () => {
    const host = await fakeHost();
    host.answer('ADD ptp', cniError({ code: 1, msg: 'incompatible CNI versions' }), {});
    host.answer('VERSION ptp', { stdout: '{"supportedVersions":["0.3.1","0.4.0","9.9.9"]}' });
    const [result] = await createNetworking(host.options).setup(setup);
    expect(result?.attachment.network.cniVersion).toBe('0.4.0');
    expect(lastOf(host)?.config['cniVersion']).toBe('0.4.0');
  });

  it('names the package of iptables when a plugin does not find it', async () => {
    const host = await fakeHost();
    const details = 'could not initialize iptables protocol 0: exec: "iptables": executable file not found in $PATH';
    host.answer('ADD ptp', cniError({ code: 999, msg: details }));
    await expect(createNetworking(host.options).setup(setup)).rejects.toMatchObject({
      code: 'ERR_RKT_STAGE1_PLUGIN_FAILED',
      message:
        'CNI plugin "ptp" failed to ADD interface eth0: iptables is not installed: install the Debian package iptables',
    });
  });

  it('undoes everything, in reverse, when an ADD fails', async () => {
    const host = await fakeHost();
    await host.writeConfig('etc', 'lan.conf', { name: 'lan', type: 'bridge' });
    host.answer('ADD bridge', cniError({ code: 11, msg: 'try \u001b[31magain', details: 'later' }));
    const requests = [{ name: 'default' }, { name: 'lan' }];
    const failure = createNetworking(host.options).setup({ ...setup, requests });
    await expect(failure).rejects.toThrow(code('PLUGIN_FAILED'));
    await expect(failure).rejects.toThrow('"try \ufffd[31magain: later"');
    expect(host.pluginCalls().slice(-2)).toEqual(['DEL bridge eth1', 'DEL ptp eth0']);
    expect(await readdir(join(host.options.dataDir, 'networks/pods'))).toEqual([]);
  });

  it('undoes everything when it is aborted half-way', async () => {
    const host = await fakeHost();
    const abort = new AbortController();
    host.answer('ADD ptp', Object.assign(new Error('stopped')));
    const run = host.options.run;
    const options = {
      ...host.options,
      run: (call: Parameters<NonNullable<typeof run>>[0]) => {
        if (call.env['CNI_COMMAND'] === 'ADD' && call.file.endsWith('ptp')) abort.abort(new Error('enough'));
        return run ? run(call) : Promise.reject(new Error('no fake'));
      },
    };
    const failure = createNetworking(options).setup({ ...setup, signal: abort.signal });
    await expect(failure).rejects.toThrow('enough');
    expect(host.pluginCalls().at(-1)).toBe('DEL ptp eth0');
  });

  it('undoes the networks when only lo fails', async () => {
    const host = await fakeHost();
    host.answer('ADD loopback', cniError({ code: 11, msg: 'no lo' }));
    await expect(createNetworking(host.options).setup(setup)).rejects.toThrow('no lo');
    expect(host.pluginCalls().toSorted()).toEqual(['ADD loopback lo', 'ADD ptp eth0', 'DEL ptp eth0']);
  });

  it.each([
    [
      [{ name: 'nowhere\u0007' }],
      'NETWORK_NOT_FOUND',
      /"nowhere\ufffd" not found; known: host, none, default, default-r/,
    ],
    [[{ name: 'none' }, { name: 'default' }], 'NETWORK_REQUEST_INVALID', /excludes every other/],
    [[{ name: 'default' }, { name: 'host' }], 'NETWORK_REQUEST_INVALID', /excludes every other/],
    [[{ name: 'default', args: 'IP=1;\nX' }], 'NETWORK_REQUEST_INVALID', /NAME=value/],
    [Array.from({ length: 33 }, () => ({ name: 'default' })), 'NETWORK_REQUEST_INVALID', /at most 32/],
  ])('refuses the requests %j', async (requests, suffix, message) => {
    const host = await fakeHost();
    const failure = createNetworking(host.options).setup({ ...setup, requests });
    await expect(failure).rejects.toThrow(code(suffix));
    await expect(failure).rejects.toThrow(message);
    expect(host.pluginCalls()).toEqual([]);
  });

  it.each(['../x', '', 'a/b', '-rf', 'x'.repeat(129)])('refuses the pod id %j', async (id) => {
    const host = await fakeHost();
    await expect(createNetworking(host.options).setup({ ...setup, podId: id })).rejects.toThrow(
      code('NETWORK_REQUEST_INVALID'),
    );
  });

  it('names a missing plugin and the package that has it, before anything is changed', async () => {
    const host = await fakeHost(['loopback', 'ptp', 'portmap']);
    const failure = createNetworking(host.options).setup(setup);
    await expect(failure).rejects.toThrow(code('PLUGIN_MISSING'));
    await expect(failure).rejects.toThrow(/"host-local" .*containernetworking-plugins/);
    expect(host.calls).toEqual([]);
  });

  it.each([
    ['{', /net\.d\/x\.conf is not JSON/],
    ['[]', /expected an object/],
    [{ type: 'ptp' }, /x\.conf: expected "name"/],
    [{ name: '../x', type: 'ptp' }, /expected "name"/],
    [{ name: 'host', type: 'ptp' }, /reserved/],
    [{ name: 'x', type: '../../bin/sh' }, /"type" to be a file name/],
    [{ name: 'x', type: 'ptp', ipam: { type: '/bin/sh' } }, /"type" to be a file name/],
    [{ name: 'x', plugins: [] }, /1 to 16 plugins/],
    [{ name: 'x', plugins: [7] }, /every plugin to be an object/],
    [`{"name":"x","type":"ptp"}${' '.repeat(262_144)}`, /larger than 262144 bytes/],
  ])('refuses the configuration %j, naming the file', async (content, message) => {
    const host = await fakeHost();
    await host.writeConfig('etc', 'x.conf', content);
    const failure = createNetworking(host.options).setup(setup);
    await expect(failure).rejects.toThrow(code('NETWORK_CONFIG_INVALID'));
    await expect(failure).rejects.toThrow(message);
  });

  it('refuses a name that two files of one directory give', async () => {
    const host = await fakeHost();
    await host.writeConfig('etc', 'a.conf', { name: 'x', type: 'ptp' });
    await host.writeConfig('etc', 'b.conf', { name: 'x', type: 'ptp' });
    await expect(createNetworking(host.options).setup(setup)).rejects.toThrow(/configured twice: in .*a\.conf and in/);
  });
});

describe('a host whose policy drops what it would forward', () => {
  it('is noticed, when asked for', async () => {
    const host = await fakeHost();
    host.answer('iptables -w -t filter -S', { stdout: '-P INPUT ACCEPT\n-P FORWARD DROP\n' });
    const notices: unknown[] = [];
    const onNotice = (notice: unknown) => void notices.push(notice);
    await createNetworking(host.options).setup({ ...setup, onNotice });
    expect(notices).toEqual([{ kind: 'forwarding-dropped' }]);
    host.answer('iptables -w -t filter -S', { stdout: '-P FORWARD ACCEPT\n' });
    await createNetworking(host.options).setup({ ...setup, onNotice });
    expect(notices).toHaveLength(1);
  });
});

describe('ports', () => {
  it('are forwarded by portmap on the first masquerading network', async () => {
    const host = await fakeHost();
    await host.writeConfig('etc', 'lan.conf', { name: 'lan', type: 'bridge' });
    const requests = [{ name: 'lan' }, { name: 'default' }];
    await createNetworking(host.options).setup({ ...setup, requests, ports: [http] });
    // The loopback interface is brought up beside them, whenever.
    const calls = host.pluginCalls();
    expect(calls.filter((call) => call !== 'ADD loopback lo')).toEqual([
      'ADD bridge eth0',
      'ADD ptp eth1',
      'ADD portmap eth1',
    ]);
    expect(calls).toHaveLength(4);
    const { runtimeConfig, snat, prevResult, capabilities } = lastOf(host)?.config ?? {};
    expect(runtimeConfig).toEqual({
      portMappings: [{ protocol: 'tcp', hostPort: 1, containerPort: 80, hostIP: '127.0.0.1' }],
    });
    expect({ snat, prevResult: prevResult !== undefined, capabilities }).toEqual({
      ...{ snat: true, prevResult: true, capabilities: undefined },
    });
    expect(host.calls.find(({ what }) => what === 'ADD ptp eth1')?.config).not.toHaveProperty('runtimeConfig');
  });

  it('use a portmap that the network has of its own', async () => {
    const host = await fakeHost();
    const portmap = { type: 'portmap', capabilities: { portMappings: true } };
    await host.writeConfig('etc', 'lan.conflist', { name: 'lan', plugins: [{ type: 'bridge' }, portmap] });
    await createNetworking(host.options).setup({ ...setup, requests: [{ name: 'lan' }], ports: [http] });
    expect(host.pluginCalls().toSorted()).toEqual(['ADD bridge eth0', 'ADD loopback lo', 'ADD portmap eth0']);
  });

  it('are tried again when another pod has removed the shared chains meanwhile', async () => {
    const host = await fakeHost();
    host.answer('ADD portmap', cniError({ code: 999, msg: 'No chain/target/match by that name' }), {});
    const results = await createNetworking(host.options).setup({ ...setup, ports: [http] });
    expect(results).toHaveLength(1);
    expect(host.pluginCalls().slice(-3)).toEqual(['ADD portmap eth0', 'DEL portmap eth0', 'ADD portmap eth0']);
  });

  it('need a network', async () => {
    const host = await fakeHost();
    const failure = createNetworking(host.options).setup({ ...setup, requests: [{ name: 'none' }], ports: [http] });
    await expect(failure).rejects.toThrow(code('PORT_FORWARD_IMPOSSIBLE'));
  });

  it.each([
    { ...http, hostPort: 0 },
    { ...http, hostPort: 65_536 },
    { ...http, podPort: 1.5 },
    { ...http, hostIP: 'localhost' },
  ])('must be ports: %j', async (port) => {
    const host = await fakeHost();
    await expect(createNetworking(host.options).setup({ ...setup, ports: [port] })).rejects.toThrow(
      code('NETWORK_REQUEST_INVALID'),
    );
  });

  it('must not be listened on', async () => {
    const host = await fakeHost();
    const server = createServer().listen(0, '127.0.0.1');
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await Promise.all([once(server, 'listening'), once(socket, 'listening')]);
    const address = server.address();
    const tcp = typeof address === 'object' && address ? address.port : 0;
    const ports = [
      { protocol: 'tcp', hostPort: tcp, podPort: 80 },
      { protocol: 'udp', hostPort: socket.address().port, podPort: 53, hostIP: '127.0.0.1' },
    ] as const;
    for (const port of ports) {
      const failure = createNetworking(host.options).setup({ ...setup, ports: [port] });
      await expect(failure).rejects.toThrow(code('PORT_IN_USE'));
    }
    server.close();
    socket.close();
    expect(host.pluginCalls()).toEqual([]);
  });

  it('of 0.0.0.0 are those of every address', async () => {
    const host = await fakeHost();
    const ports = [{ ...http, hostPort: 18_083, hostIP: '0.0.0.0' }];
    await createNetworking(host.options).setup({ ...setup, ports });
    expect(lastOf(host)?.config['runtimeConfig']).toEqual({
      portMappings: [{ protocol: 'tcp', hostPort: 18_083, containerPort: 80 }],
    });
  });

  it('of an address family that the pod has not are refused, and undone', async () => {
    const host = await fakeHost();
    const stdout = JSON.stringify({ cniVersion: '1.0.0', ips: [{ address: '172.16.28.2/24' }] });
    for (const plugin of ['ptp', 'portmap']) host.answer(`ADD ${plugin}`, { stdout });
    const failure = createNetworking(host.options).setup({ ...setup, ports: [{ ...http, hostIP: '::1' }] });
    await expect(failure).rejects.toThrow(code('PORT_FORWARD_IMPOSSIBLE'));
    expect(host.pluginCalls().slice(-2)).toEqual(['DEL portmap eth0', 'DEL ptp eth0']);
  });

  it('must be of an address the host has', async () => {
    const host = await fakeHost();
    const failure = createNetworking(host.options).setup({ ...setup, ports: [{ ...http, hostIP: '203.0.113.77' }] });
    await expect(failure).rejects.toThrow(code('PORT_FORWARD_IMPOSSIBLE'));
  });
});

describe('teardown', () => {
  it('DELs in reverse order, with the result and without a namespace that is gone', async () => {
    const host = await fakeHost();
    const networking = createNetworking(host.options);
    const requests = [{ name: 'default', args: 'IP=172.16.28.9' }, { name: 'default-restricted' }];
    const saved = await networking.setup({ ...setup, requests, ports: [http] });
    const before = host.pluginCalls().length;
    await networking.teardown({ podId, saved });
    expect(host.pluginCalls().slice(before)).toEqual(['DEL ptp eth1', 'DEL portmap eth0', 'DEL ptp eth0']);
    const portmap = host.calls.find(({ what }) => what === 'DEL portmap eth0');
    expect(portmap?.env).toMatchObject({ CNI_NETNS: '', CNI_ARGS: 'IgnoreUnknown=1;IP=172.16.28.9' });
    expect(portmap?.config['prevResult']).toEqual(saved[0]?.attachment.result);
    expect(portmap?.config).toHaveProperty('runtimeConfig.portMappings');
  });

  it('knows what to undo although the caller never learned of it', async () => {
    const host = await fakeHost();
    await createNetworking(host.options).setup(setup);
    await createNetworking(host.options).teardown({ podId, netnsPath, saved: [] });
    expect(host.pluginCalls().at(-1)).toBe('DEL ptp eth0');
  });

  it('is made up for by the next setup of a pod whose first one died', async () => {
    const host = await fakeHost();
    await createNetworking(host.options).setup(setup);
    await createNetworking(host.options).setup({ ...setup, requests: [{ name: 'none' }] });
    expect(host.pluginCalls().slice(-2)).toEqual(['DEL ptp eth0', 'ADD loopback lo']);
  });

  it('does not care how the configuration has changed since', async () => {
    const host = await fakeHost();
    await host.writeConfig('etc', 'lan.conf', { name: 'lan', type: 'bridge' });
    const saved = await createNetworking(host.options).setup({ ...setup, requests: [{ name: 'lan' }] });
    await host.writeConfig('etc', 'lan.conf', '{');
    await createNetworking(host.options).teardown({ podId, netnsPath, saved: JSON.parse(JSON.stringify(saved)) });
    expect(host.pluginCalls().at(-1)).toBe('DEL bridge eth0');
  });

  it('can be repeated, also for a pod that never had a network', async () => {
    const host = await fakeHost();
    const networking = createNetworking(host.options);
    const saved = await networking.setup(setup);
    for (let round = 0; round < 2; round++) await networking.teardown({ podId, saved });
    const { length } = host.calls;
    await networking.teardown({ podId, saved: [] });
    expect(host.calls).toHaveLength(length);
  });

  it('tries everything before it reports a failure, and can be tried again', async () => {
    const host = await fakeHost();
    const networking = createNetworking(host.options);
    await networking.setup({ ...setup, ports: [http] });
    host.answer('DEL portmap', { exitCode: 2, stderr: 'panic: oh' }, {});
    await expect(networking.teardown({ podId, saved: [] })).rejects.toThrow(/"portmap" failed to DEL .*panic: oh/);
    expect(host.pluginCalls().slice(-2)).toEqual(['DEL portmap eth0', 'DEL ptp eth0']);
    await networking.teardown({ podId, saved: [] });
    expect(host.pluginCalls().slice(-2)).toEqual(['DEL portmap eth0', 'DEL ptp eth0']);
  });

  it('manages on a host without iptables', async () => {
    const host = await fakeHost();
    const networking = createNetworking(host.options);
    const missing = Object.assign(new Error('spawn iptables ENOENT'), { code: 'ENOENT' });
    for (const program of ['iptables', 'ip6tables']) host.answer(program, missing);
    const saved = await networking.setup({ ...setup, ports: [http] });
    await expect(networking.teardown({ podId, saved })).resolves.toBeUndefined();
  });
});
