// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import type { NetworkResult, SandboxSpec } from '../../src/index.ts';
import { type HostFiles, type NameFiles, nameFiles } from '../../src/sandbox/name-files.ts';

const host: HostFiles = { resolvConf: 'nameserver 192.0.2.53\n', hosts: '127.0.0.1 host\n' };
const network: NetworkResult = {
  netName: 'default',
  ifName: 'eth0',
  ip: '172.16.28.2',
  dns: { nameservers: ['192.0.2.1'], search: [], options: [] },
  attachment: { ifName: 'eth0', network: { cniVersion: '1.0.0', name: 'default', plugins: [] }, ports: [] },
};

function files(spec: Partial<SandboxSpec>, networks: readonly NetworkResult[] = [network]): NameFiles {
  return nameFiles({ spec: { networks: [], ...spec }, hostname: 'me', hostNetwork: false, networks, host });
}

function resolverOn(own: HostFiles, { hostNetwork = false, spec = {} as Partial<SandboxSpec> } = {}) {
  return nameFiles({ spec: { networks: [], ...spec }, hostname: 'me', hostNetwork, networks: [], host: own })
    .resolvConf;
}

it('does not send a pod to a name server on the host’s loopback', () => {
  const stub = { hosts: '', resolvConf: 'nameserver 127.0.0.53\noptions edns0\nsearch lan\n' };
  const upstreamResolvConf = 'nameserver 192.0.2.1\nsearch lan\n';
  expect(resolverOn({ ...stub, upstreamResolvConf })).toBe(upstreamResolvConf);
  expect(resolverOn({ ...stub, upstreamResolvConf }, { spec: { dns: { search: ['b'] } } })).toBe(
    'nameserver 192.0.2.1\nsearch b\n',
  );
  expect(resolverOn(stub)).toBe('options edns0\nsearch lan\n');
  const both = { hosts: '', resolvConf: '# mine\nnameserver ::1\nnameserver 192.0.2.7\n', upstreamResolvConf };
  expect(resolverOn(both)).toBe('# mine\nnameserver 192.0.2.7\n');
  expect(resolverOn(stub, { hostNetwork: true })).toBe(stub.resolvConf);
  expect(resolverOn(stub, { spec: { dns: { mode: 'host' } } })).toBe(stub.resolvConf);
});

it('takes the resolver from what is stated, else from the network, else from the host', () => {
  expect(files({ dns: { options: ['ndots:2'], domain: 'a.org' } }).resolvConf).toBe(
    'nameserver 192.0.2.1\ndomain a.org\noptions ndots:2\n',
  );
  expect(files({ dns: { nameservers: ['::1'], search: ['b.org'] } }).resolvConf).toBe('nameserver ::1\nsearch b.org\n');
  expect(files({ dns: { search: ['b.org'] } }, []).resolvConf).toBe('nameserver 192.0.2.53\nsearch b.org\n');
  expect(files({}).resolvConf).toBe('nameserver 192.0.2.1\n');
  expect(files({}, []).resolvConf).toBe(host.resolvConf);
  expect(files({ dns: { mode: 'host' } }).resolvConf).toBe(host.resolvConf);
  expect(files({ dns: { mode: 'none' } }).resolvConf).toBeUndefined();
});

it('knows the pod by its address, or by loopback without one', () => {
  expect(files({}).hosts).toContain('172.16.28.2\tme\n');
  expect(files({}, []).hosts).toContain('127.0.0.1\tme\n');
  expect(files({}, [{ ...network, ip6: 'fd00::2' }]).hosts).toContain('172.16.28.2\tme\nfd00::2\tme\n');
  expect(files({ hostsEntries: 'host' }).hosts).toBe(host.hosts);
});
