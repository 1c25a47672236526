// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { createNetworking, type PortForward } from '../../src/networking/index.ts';
import { checkPorts } from '../../src/networking/port-requests.ts';
import { type FakeHost, fakeHost, type SeenCall } from './fake-plugins.ts';

const podId = '6f1b2c3d-0000-4000-8000-000000000001';
const netnsPath = '/proc/7/ns/net';
const http: PortForward = { protocol: 'tcp', hostPort: 1, podPort: 80, hostIP: '127.0.0.1' };
const anywhere: PortForward = { protocol: 'tcp', hostPort: 18_084, podPort: 80 };
const setup = { podId, netnsPath, requests: [{ name: 'default' }], ports: [] };
const code = (suffix: string) => expect.objectContaining({ code: `ERR_RKT_STAGE1_${suffix}` });
const cniError = (fields: object) => ({ exitCode: 1, stdout: JSON.stringify(fields) });

/** Loopback is brought up at the same time as the first interface, and may be seen before or after it. */
function lastOf({ calls }: FakeHost): SeenCall | undefined {
  return calls.findLast(({ what }) => /^(ADD|DEL) (?!loopback)/.test(what));
}

/** Of the addresses that the network gives, as the plugin was told. */
function rangesOf({ calls }: FakeHost): readonly unknown[] {
  const ipam = calls.find(({ what }) => what.startsWith('ADD ptp'))?.config['ipam'];
  const ranges: unknown = typeof ipam === 'object' && ipam !== null ? Reflect.get(ipam, 'ranges') : undefined;
  return Array.isArray(ranges) ? ranges : [];
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
    [[{ name: 'nowhere\u0007' }], 'NETWORK_NOT_FOUND', /"nowhere\ufffd" not found; known: all, host, none, default, d/],
    [[{ name: 'none' }, { name: 'default' }], 'NETWORK_REQUEST_INVALID', /excludes every other/],
    [[{ name: 'default' }, { name: 'host' }], 'NETWORK_REQUEST_INVALID', /excludes every other/],
    [[{ name: 'default', args: 'IP=1;\nX' }], 'NETWORK_REQUEST_INVALID', /NAME=value/],
    [[{ name: 'none', args: 'IP=1.2.3.4' }], 'NETWORK_REQUEST_INVALID', /"none" takes no arguments/],
    [[{ name: 'all', args: 'IP=1.2.3.4' }], 'NETWORK_REQUEST_INVALID', /"all" takes no arguments/],
    [[{ name: 'all' }, { name: 'nowhere' }], 'NETWORK_NOT_FOUND', /"nowhere" not found/],
    [[{ name: '../../etc/passwd' }], 'NETWORK_NOT_FOUND', /"\.\.\/\.\.\/etc\/passwd" not found/],
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
    ['{', /net\.d\/x\.conf is not JSON: "Expected/],
    [{ name: 'x', type: 'ptp', cniVersion: 1 }, /expected "cniVersion" to be a string/],
    [{ name: 'x', type: 'ptp', ipMasq: 'yes' }, /expected "ipMasq" to be true or false/],
    [
      { name: 'x', plugins: [{ type: 'ptp' }, { type: 'x', ipam: 'dhcp' }] },
      /expected "plugins\[1\]\.ipam" to be an object/,
    ],
    [
      { name: 'x', plugins: [{ type: 'ptp', ipam: { type: '../x' } }] },
      /"plugins\[0\]\.ipam\.type" to be the file name/,
    ],
    ['[]', /expected an object/],
    [{ type: 'ptp' }, /x\.conf: expected "name"/],
    [{ name: '../x', type: 'ptp' }, /expected "name"/],
    [{ name: 'host', type: 'ptp' }, /reserved/],
    [{ name: 'x', type: '../../bin/sh' }, /"type" to be the file name of a plugin/],
    [{ name: 'x', type: 'ptp', ipam: { type: '/bin/sh' } }, /"ipam\.type" to be the file name/],
    [{ name: 'x', plugins: [] }, /1 to 16 plugins/],
    [{ name: 'x', plugins: [7] }, /"plugins\[0\]" to be an object/],
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

describe('a host that drops what it would forward', () => {
  const dropping = { stdout: '-P INPUT ACCEPT\n-P FORWARD DROP\n' };
  const inserted = ({ calls }: FakeHost) =>
    calls.filter(({ what, stdin }) => what.startsWith('iptables-restore') && stdin.includes('-A FORWARD'));

  it('gets rules that let a masquerading network through, after its own', async () => {
    const host = await fakeHost();
    host.answer('iptables -w -t filter -S', dropping);
    const requests = [{ name: 'default' }, { name: 'default-restricted' }];
    const [open, restricted] = await createNetworking(host.options).setup({ ...setup, requests });
    const mark = `-m comment --comment "name: \\"default\\" id: \\"${podId}\\"" -j ACCEPT`;
    expect(inserted(host).map(({ stdin }) => stdin.split('\n').slice(0, 3))).toEqual([
      [
        '*filter',
        `-A FORWARD -s ${open?.ip}/32 ${mark}`,
        `-A FORWARD -d ${open?.ip}/32 -m conntrack --ctstate RELATED,ESTABLISHED,DNAT ${mark}`,
      ],
    ]);
    expect([open?.attachment.opensForwarding, restricted?.attachment.opensForwarding]).toEqual([true, undefined]);
  });

  it('is rid of them afterwards', async () => {
    const host = await fakeHost();
    host.answer('iptables -w -t filter -S', dropping);
    const networking = createNetworking(host.options);
    const saved = await networking.setup(setup);
    const rule = `FORWARD -s 172.16.28.2/32 -m comment --comment "name: \\"default\\" id: \\"${podId}\\"" -j ACCEPT`;
    host.answer('iptables -w -t filter -S', { stdout: `-P FORWARD DROP\n-A ${rule}\n` }, { stdout: '' });
    await networking.teardown({ podId, saved });
    expect(host.calls.findLast(({ stdin }) => stdin.startsWith('*filter'))?.stdin).toContain(`-D ${rule}`);
  });

  it('is left alone where it does not', async () => {
    const host = await fakeHost();
    host.answer('iptables -w -t filter -S', { stdout: '-P FORWARD ACCEPT\n' });
    await createNetworking(host.options).setup(setup);
    expect(inserted(host)).toEqual([]);
  });
});

describe('what plugins say', () => {
  it.each([
    ['', 'network "default" has no free address left of 172.16.28.1-172.16.28.254'],
    ['IP=172.16.28.300', 'network "default" cannot give "172.16.28.300": it is not a free one of 172.16.28.1-'],
  ])('of an empty pool names the network (arguments %j)', async (args, message) => {
    const host = await fakeHost();
    const msg = 'failed to allocate for range 0: no IP addresses available in range set: 172.16.28.1-172.16.28.254';
    host.answer('ADD ptp', cniError({ code: 999, msg }));
    const failure = createNetworking(host.options).setup({ ...setup, requests: [{ name: 'default', args }] });
    await expect(failure).rejects.toThrow(code('ADDRESS_UNAVAILABLE'));
    await expect(failure).rejects.toThrow(message);
  });

  it.each([
    [
      'requested IP address 172.16.28.9 is not available in range set 172.16.28.1-172.16.28.254',
      'network "default" cannot give 172.16.28.9: it is taken, or not one of 172.16.28.1-172.16.28.254',
    ],
    [
      'failed to allocate all requested IPs: 172.16.28.9',
      'network "default" cannot give 172.16.28.9: it is not one of the network\'s addresses',
    ],
  ])('of an address that was asked for names it: %s', async (msg, message) => {
    const host = await fakeHost();
    host.answer('ADD ptp', cniError({ code: 999, msg }));
    const requests = [{ name: 'default', args: 'IP=172.16.28.9' }];
    const failure = createNetworking(host.options).setup({ ...setup, requests });
    await expect(failure).rejects.toThrow(code('ADDRESS_UNAVAILABLE'));
    await expect(failure).rejects.toThrow(message);
  });

  it.each([
    [{ ips: 'many' }, /"ips" is not a list/],
    [{ ips: [{ address: '172.16.28.2' }] }, /"ips" is not a list of addresses with a prefix length/],
    [{ ips: [{ address: '$(reboot)/24' }] }, /"ips"/],
    [{ interfaces: [{ name: '../../etc' }] }, /"interfaces" is not a list of names/],
    [{ dns: { search: ['x'.repeat(70_000)] } }, /larger than 65536 bytes/],
    [`{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`, /nested more than 8 levels/],
  ])('is refused and undone when it is no result (%#)', async (result, message) => {
    const host = await fakeHost();
    const stdout = typeof result === 'string' ? result : JSON.stringify(result);
    host.answer('ADD ptp', { stdout });
    const failure = createNetworking(host.options).setup(setup);
    await expect(failure).rejects.toThrow(code('PLUGIN_FAILED'));
    await expect(failure).rejects.toThrow(message);
    expect(host.pluginCalls().at(-1)).toBe('DEL ptp eth0');
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
    { ...http, hostPort: -1 },
    { ...http, hostPort: 65_536 },
    { ...http, podPort: 1.5 },
    { ...http, hostIP: 'localhost' },
    { ...http, hostIP: '127.0.0.1; rm' },
  ])('must be ports: %j', async (port) => {
    const host = await fakeHost();
    await expect(createNetworking(host.options).setup({ ...setup, ports: [port] })).rejects.toThrow(
      code('NETWORK_REQUEST_INVALID'),
    );
  });

  it('of 0 are chosen: free ones, also of what is asked for beside them', async () => {
    const host = await fakeHost();
    const ports = [
      { protocol: 'tcp', hostPort: 0, podPort: 80 },
      { protocol: 'tcp', hostPort: 0, podPort: 81, hostIP: '127.0.0.1' },
      { ...http, hostPort: 18_085 },
    ] as const;
    const results = await createNetworking(host.options).setup({ ...setup, ports });
    const chosen = results.flatMap(({ attachment }) => attachment.ports);
    expect(chosen.map(({ podPort, hostIP }) => [podPort, hostIP])).toEqual(
      ports.map((port) => [port.podPort, 'hostIP' in port ? port.hostIP : undefined]),
    );
    const [first = 0, second = 0, third] = chosen.map(({ hostPort }) => hostPort);
    expect([first >= 49_152, second >= 49_152, first !== second, third]).toEqual([true, true, true, 18_085]);
  });

  it('are chosen anew when another pod has chosen the same at the same time', async () => {
    const host = await fakeHost();
    const random = vi.spyOn(Math, 'random').mockReturnValueOnce(0).mockReturnValue(0.5);
    const other = [
      '-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \\"n\\" id: \\"other\\"" -j CNI-DN-a',
      '-A CNI-DN-a -p tcp -m tcp --dport 49152 -j DNAT --to-destination 10.0.0.1:80',
    ].join('\n');
    const without = { stdout: '' };
    // Listed to choose, before anything is changed, and afterwards.
    host.answer('iptables -w -t nat -S', without, without, { stdout: other });
    const port = { protocol: 'tcp', hostPort: 0, podPort: 80, hostIP: '127.0.0.1' } as const;
    const results = await createNetworking(host.options).setup({ ...setup, ports: [port] });
    random.mockRestore();
    expect(results[0]?.attachment.ports[0]?.hostPort).toBe(57_344);
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
      await expect(failure).rejects.toThrow(`/${port.protocol} is already listened on by "`);
      await expect(failure).rejects.toThrow(`(process ${process.pid})`);
    }
    server.close();
    socket.close();
    expect(host.pluginCalls()).toEqual([]);
  });

  it('of 0.0.0.0 are IPv4 alone', async () => {
    const host = await fakeHost();
    const ports = [{ ...http, hostPort: 18_083, hostIP: '0.0.0.0' }];
    await createNetworking(host.options).setup({ ...setup, ports });
    expect(lastOf(host)?.config['runtimeConfig']).toEqual({
      portMappings: [{ protocol: 'tcp', hostPort: 18_083, containerPort: 80, hostIP: '0.0.0.0' }],
    });
    expect(rangesOf(host)).toHaveLength(1);
  });

  it('of every address give the built-in networks IPv6 where the host has it', async () => {
    const host = await fakeHost();
    await createNetworking(host.options).setup({ ...setup, ports: [anywhere] });
    expect(rangesOf(host)).toEqual([[{ subnet: '172.16.28.0/24' }], [{ subnet: 'fd72:6b74:1c::/64' }]]);
    const scripts = host.calls.map(({ what }) => what).filter((what) => what.startsWith('/bin/sh'));
    expect(
      scripts.some((script) => script.includes('accept_ra')),
      'the host’s own routes are kept',
    ).toBe(true);
  });

  it.each([
    ['/bin/sh -c [ ', { exitCode: 1 }],
    ['ip6tables -w -t nat -S', { exitCode: 3, stderr: "can't initialize ip6tables table `nat': Table does not exist" }],
  ])('are IPv4 alone where %j fails', async (what, exit) => {
    const host = await fakeHost();
    host.answer(what, exit);
    await createNetworking(host.options).setup({ ...setup, ports: [anywhere] });
    expect(rangesOf(host)).toEqual([[{ subnet: '172.16.28.0/24' }]]);
  });

  it('answer at ::1 by a route of the pod’s own interface and a sender of the host’s', async () => {
    const host = await fakeHost();
    const stdout = JSON.stringify({
      cniVersion: '1.0.0',
      interfaces: [{ name: 'veth1a2b' }, { name: 'eth0', sandbox: netnsPath }],
      ips: [{ address: 'fd00::7/64' }],
    });
    for (const plugin of ['ptp', 'portmap']) host.answer(`ADD ${plugin}`, { stdout });
    await createNetworking(host.options).setup({ ...setup, ports: [anywhere] });
    const route = 'ip -6 route append local ::1 dev veth1a2b table local metric 4096';
    expect(host.calls.map(({ what }) => what)).toContain(route);
    const rule = `-A POSTROUTING -s ::1/128 -d fd00::7/128 -m comment --comment "name: \\"default\\" id: \\"${podId}\\""`;
    expect(host.calls.find(({ what }) => what.startsWith('ip6tables-restore'))?.stdin).toContain(rule);
  });

  it.each([
    [[http, { ...http, podPort: 81 }], /host port 1\/tcp is asked for twice/],
    [[http, { protocol: 'tcp', hostPort: 1, podPort: 9 }], /asked for twice/],
    [[http, { ...http, hostIP: '0.0.0.0' }], /asked for twice/],
  ] as const)('cannot be asked for twice: %j', async (ports, message) => {
    const host = await fakeHost();
    await expect(createNetworking(host.options).setup({ ...setup, ports })).rejects.toThrow(message);
    expect(host.calls).toEqual([]);
  });

  it.each([
    [http, { ...http, protocol: 'udp' }],
    [http, { ...http, hostIP: '::1' }],
    [http, { ...http, hostIP: '192.0.2.1' }],
  ] as const)('may share a number: %j', (...ports) => {
    expect(() => checkPorts(ports)).not.toThrow();
  });

  it('that two pods took at once belong to the one whose rules come first', async () => {
    const host = await fakeHost();
    const dnat = (id: string, chain: string) => [
      `-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \\"default\\" id: \\"${id}\\"" -m multiport --dports 1 -j ${chain}`,
      `-A ${chain} -d 127.0.0.1/32 -p tcp -m tcp --dport 1 -j DNAT --to-destination 172.16.28.2:80`,
    ];
    const ours = dnat(podId, 'CNI-DN-a');
    const theirs = dnat('other', 'CNI-DN-b');
    host.answer('iptables -w -t nat -S', { stdout: '' }, { stdout: [...ours, ...theirs].join('\n') });
    await createNetworking(host.options).setup({ ...setup, ports: [http] });
    // What is listed first need not be what packets meet first: the chain that leads to both decides.
    const [jump = '', rule = ''] = ours;
    host.answer(
      'iptables -w -t nat -S',
      { stdout: '' },
      { stdout: [rule, ...theirs, jump].join('\n') },
      { stdout: '' },
    );
    const failure = createNetworking(host.options).setup({ ...setup, podId: `${podId}b`, ports: [http] });
    await expect(failure).rejects.toThrow('host port 127.0.0.1:1/tcp is already forwarded to container other');
    expect(host.pluginCalls().slice(-2)).toEqual(['DEL portmap eth0', 'DEL ptp eth0']);
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

describe('configuration of others', () => {
  it.each([
    ['writable by everyone', async (file: string) => chmod(file, 0o666), /can be changed by others/],
    ['a named pipe', replacedByPipe, /not a regular file/],
    ['a directory', replacedByDirectory, /not a regular file/],
  ])('is refused: %s', async (_, change, message) => {
    const host = await fakeHost();
    await host.writeConfig('etc', 'x.conf', { name: 'x', type: 'ptp' });
    await change(join(host.options.configDirs[1] ?? '', 'net.d', 'x.conf'));
    const failure = createNetworking(host.options).setup(setup);
    await expect(failure).rejects.toThrow(code('NETWORK_CONFIG_INVALID'));
    await expect(failure).rejects.toThrow(message);
    expect(host.pluginCalls()).toEqual([]);
  });
});

async function replacedByPipe(file: string): Promise<void> {
  await rm(file);
  execFileSync('mkfifo', [file]);
}

async function replacedByDirectory(file: string): Promise<void> {
  await rm(file);
  await mkdir(file);
}

describe('what nobody else remembers', () => {
  /** As host-local writes it. */
  async function reserve(host: FakeHost, address: string, owner: string): Promise<string> {
    const dir = join(host.options.dataDir, 'networks/ipam/default');
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, address), `${owner}\r\neth0`);
    return dir;
  }

  it('is told, from records and from addresses', async () => {
    const host = await fakeHost();
    const networking = createNetworking(host.options);
    expect(await networking.remembered()).toEqual([]);
    await networking.setup(setup);
    await reserve(host, '172.16.28.7', 'lost');
    await reserve(host, 'last_reserved_ip.0', '172.16.28.7');
    await reserve(host, '172.16.28.8', '../../x');
    expect((await networking.remembered()).toSorted()).toEqual([podId, 'lost'].toSorted());
  });

  it('is given back by its id alone', async () => {
    const host = await fakeHost();
    const networking = createNetworking(host.options);
    const dir = await reserve(host, '172.16.28.7', 'lost');
    await reserve(host, 'fd72:6b74:1c::7', 'lost');
    await reserve(host, '172.16.28.8', 'kept');
    await networking.teardown({ podId: 'lost', saved: [], thorough: true });
    expect(await readdir(dir)).toEqual(['172.16.28.8']);
    const listed = host.calls.map(({ what }) => what).filter((what) => what.endsWith(' -S'));
    expect(listed.toSorted()).toEqual(
      ['iptables', 'ip6tables']
        .flatMap((family) => ['filter', 'nat'].map((table) => `${family} -w -t ${table} -S`))
        .toSorted(),
    );
  });

  it.each(['', '{', '[{"ifName":"eth0"}]', '[{"ifName":"eth0","ports":[],"network":{"name":"x","plugins":[7]}}]'])(
    'is looked for everywhere when the record is damaged: %j',
    async (damage) => {
      const host = await fakeHost();
      const networking = createNetworking(host.options);
      await networking.setup(setup);
      const dir = await reserve(host, '172.16.28.7', podId);
      const record = join(host.options.dataDir, 'networks/pods', `${podId}.json`);
      await writeFile(record, damage);
      await networking.teardown({ podId, saved: [] });
      expect(await readdir(dir)).toEqual([]);
      expect(await networking.remembered()).toEqual([]);
    },
  );
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
