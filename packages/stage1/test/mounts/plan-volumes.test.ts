// SPDX-License-Identifier: Apache-2.0
import type { MountPoint, PodManifest, RuntimeApp, Volume } from '@rkt/appc';
import { expect, it } from 'vitest';
import { type PlannedMount, planVolumes } from '../../src/mounts/plan-volumes.ts';

function plan(
  points: readonly MountPoint[],
  volumes: readonly Volume[],
  mounts: RuntimeApp['mounts'] = [],
): readonly PlannedMount[] {
  const app = { exec: ['x'], user: '0', group: '0', mountPoints: points };
  const runtimeApp: RuntimeApp = { name: 'app', image: { id: 'sha512-0' }, app, mounts };
  const manifest: PodManifest = { acVersion: '0.8.11', acKind: 'PodManifest', apps: [runtimeApp], volumes };
  return planVolumes(manifest, runtimeApp);
}

it('fills a mount point by the volume of its name, or by an empty one of its own', () => {
  const host: Volume = { name: 'a', kind: 'host', source: '/srv' };
  const points = [
    { name: 'a', path: '/a', readOnly: true },
    { name: 'b', path: '/b/../c' },
  ];
  expect(plan(points, [host])).toEqual([
    { destination: '/a', volume: host, readOnly: true, directory: 'a' },
    { destination: '/c', volume: { name: 'b', kind: 'empty' }, readOnly: false, directory: 'app.b' },
  ]);
});

it('lets a stated mount go before the mount point of the same place', () => {
  const volumes: readonly Volume[] = [{ name: 'mine', kind: 'empty', readOnly: true }];
  const planned = plan([{ name: 'data', path: '/data' }], volumes, [{ volume: 'mine', path: '/data' }]);
  expect(planned).toMatchObject([{ destination: '/data', volume: { name: 'mine' }, readOnly: true }]);
});

it('never leaves the root, however a path is written', () => {
  expect(plan([{ name: 'x', path: '../../etc' }], [])).toMatchObject([{ destination: '/etc' }]);
});

it('refuses a mount whose volume there is not', () => {
  expect(() => plan([], [], [{ volume: 'absent', path: '/x' }])).toThrow('dangling mount point "/x"');
});
