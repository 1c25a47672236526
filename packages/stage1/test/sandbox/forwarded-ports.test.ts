// SPDX-License-Identifier: Apache-2.0
import type { ExposedPort, PodManifest } from '@rkt/appc';
import { expect, it } from 'vitest';
import { forwardedPorts } from '../../src/sandbox/forwarded-ports.ts';

const web = { name: 'web', protocol: 'TCP', port: 80, count: 1, socketActivated: false };

function manifest(exposed: ExposedPort): PodManifest {
  const app = { exec: ['x'], user: '0', group: '0', ports: [web] };
  const apps = [{ name: 'app', image: { id: 'sha512-0' as const }, app }];
  return { acVersion: '0.8.11', acKind: 'PodManifest', apps, ports: [exposed] };
}

it('leads a named port, or one no image declares, to the pod', () => {
  expect(forwardedPorts(manifest({ name: 'web', hostPort: 8080, hostIP: '127.0.0.1' }))).toEqual([
    { protocol: 'tcp', hostPort: 8080, podPort: 80, hostIP: '127.0.0.1' },
  ]);
  const podPort = { ...web, name: 'more', protocol: 'udp', port: 53, count: 2 };
  expect(forwardedPorts(manifest({ name: 'more', hostPort: 5300, podPort }))).toEqual([
    { protocol: 'udp', hostPort: 5300, podPort: 53 },
    { protocol: 'udp', hostPort: 5301, podPort: 54 },
  ]);
});

it.each<ExposedPort>([
  { name: 'absent', hostPort: 1 },
  { name: 'web', hostPort: -1 },
  { name: 'web', hostPort: 65_536 },
  { name: 'web', hostPort: 1.5 },
  { name: 'x', hostPort: 65_535, podPort: { ...web, count: 2 } },
  { name: 'x', hostPort: 1, podPort: { ...web, protocol: 'icmp' } },
  { name: 'x', hostPort: 1, podPort: { ...web, count: 1e12 } },
  { name: 'x', hostPort: 1, podPort: { ...web, count: 4097 } },
])('refuses %o', (exposed) => {
  expect(() => forwardedPorts(manifest(exposed))).toThrow(
    expect.objectContaining({ code: 'ERR_RKT_STAGE1_MANIFEST_INVALID' }),
  );
});

it('refuses more than there may be, however few of them one entry makes', () => {
  const exposed = { name: 'x', hostPort: 1, podPort: { ...web, port: 1, count: 4096 } };
  expect(forwardedPorts(manifest(exposed))).toHaveLength(4096);
  const ports = [exposed, { ...exposed, hostPort: 5000, podPort: { ...exposed.podPort, count: 1 } }];
  expect(() => forwardedPorts({ ...manifest(exposed), ports })).toThrow('expected at most 4096 forwarded ports');
});
