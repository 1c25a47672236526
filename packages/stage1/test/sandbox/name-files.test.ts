// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import type { NetworkResult, SandboxSpec } from '../../src/index.ts';
import { type NameFiles, nameFiles } from '../../src/sandbox/name-files.ts';

const host = { resolvConf: 'nameserver 192.0.2.53\n', hosts: '127.0.0.1 host\n' };
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

it('takes the resolver from what is stated, else from the network, else from the host', () => {
  expect(files({ dns: { options: ['ndots:2'], domain: 'a.org' } }).resolvConf).toBe('domain a.org\noptions ndots:2\n');
  expect(files({}).resolvConf).toBe('nameserver 192.0.2.1\n');
  expect(files({}, []).resolvConf).toBe(host.resolvConf);
  expect(files({ dns: { mode: 'host' } }).resolvConf).toBe(host.resolvConf);
  expect(files({ dns: { mode: 'none' } }).resolvConf).toBeUndefined();
});

it('knows the pod by its address, or by loopback without one', () => {
  expect(files({}).hosts).toContain('172.16.28.2\tme\n');
  expect(files({}, []).hosts).toContain('127.0.0.1\tme\n');
  expect(files({ hostsEntries: 'host' }).hosts).toBe(host.hosts);
});
