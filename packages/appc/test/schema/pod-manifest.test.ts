// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { type PodManifest, parsePodManifest, serializePodManifest } from '@rkt/appc';
import { describe, expect, it } from 'vitest';
import { appcError } from '../appc-error.ts';

const image = {
  name: 'example.com/app',
  id: `sha512-${'ab'.repeat(64)}`,
  labels: [{ name: 'os', value: 'linux' }],
} as const;
const app = { name: 'redis', image, app: { exec: ['/redis'], user: '0', group: '0' } } as const;

const full: PodManifest = {
  acVersion: '0.8.11',
  acKind: 'PodManifest',
  apps: [
    {
      ...app,
      readOnlyRootFS: true,
      mounts: [{ volume: 'data', path: '/data' }],
      annotations: [{ name: 'a', value: 'b' }],
    },
  ],
  volumes: [
    { name: 'data', kind: 'host', source: '/srv/data', readOnly: true, recursive: false },
    { name: 'scratch', kind: 'empty', mode: '0755', uid: 0, gid: 5 },
    { name: 'memory', kind: 'tmpfs' },
  ],
  isolators: [{ name: 'resource/memory', value: { limit: '1G' } }],
  annotations: [{ name: 'a', value: 'b' }],
  ports: [
    {
      name: 'web',
      hostPort: 8080,
      hostIP: '127.0.0.1',
      podPort: { name: 'web', protocol: 'tcp', port: 80, count: 1, socketActivated: false },
    },
    { name: 'web', hostPort: 8081, hostIP: '::1' },
  ],
  userAnnotations: { a: 'b' },
  userLabels: { c: 'd' },
};

describe('a pod manifest', () => {
  it('is read and written with every property there is', () => {
    expect(parsePodManifest(full)).toEqual(full);
    expect(parsePodManifest(serializePodManifest(full))).toEqual(full);
  });
  it('is written in one form', () => {
    const { apps, acKind, acVersion } = full;
    const text = Buffer.from(
      serializePodManifest({ apps: [{ ...app, app: apps[0]?.app ?? app.app }], acKind, acVersion }),
    ).toString();
    expect(text).toMatch(
      /^\{"acVersion":"0\.8\.11","acKind":"PodManifest","apps":\[\{"name":"redis","image":\{"name":.*"group":"0"\}\}\]\}$/,
    );
  });
});

const withApp = (fields: object) => ({ ...full, apps: [{ ...app, ...fields }] });
const withVolume = (volume: object) => ({ ...full, volumes: [volume] });

describe('a pod manifest is refused', () => {
  it.each<[string, unknown]>([
    ['acKind', { ...full, acKind: 'ImageManifest' }],
    ['apps', { ...full, apps: undefined }],
    ['apps[1].name', { ...full, apps: [app, app] }],
    ['apps[0].name', withApp({ name: 'a_b' })],
    ['apps[0].app', withApp({ app: undefined })],
    ['apps[0].image.id', withApp({ image: { id: 'sha512-ab' } })],
    ['apps[0].mounts[0].path', withApp({ mounts: [{ volume: 'data', path: 'data' }] })],
    ['apps[0].mounts[0].appVolume', withApp({ mounts: [{ volume: 'data', path: '/data', appVolume: {} }] })],
    [
      'volumes[1].name',
      {
        ...full,
        volumes: [
          { name: 'a', kind: 'empty' },
          { name: 'a', kind: 'tmpfs' },
        ],
      },
    ],
    ['volumes[0].kind', withVolume({ name: 'a', kind: 'nfs' })],
    ['volumes[0].source', withVolume({ name: 'a', kind: 'host' })],
    ['volumes[0].source', withVolume({ name: 'a', kind: 'host', source: '../etc' })],
    ['volumes[0].source', withVolume({ name: 'a', kind: 'empty', source: '/x' })],
    ['volumes[0].uid', withVolume({ name: 'a', kind: 'host', source: '/x', uid: 1 })],
    ['volumes[0].mode', withVolume({ name: 'a', kind: 'empty', mode: '0999' })],
    ['volumes[0].gid', withVolume({ name: 'a', kind: 'tmpfs', gid: 2 ** 32 })],
    ['ports[0].hostPort', { ...full, ports: [{ name: 'a', hostPort: -1 }] }],
    ['ports[0].hostPort', { ...full, ports: [{ name: 'a', hostPort: 65_536 }] }],
    ['ports[0].hostIP', { ...full, ports: [{ name: 'a', hostPort: 1, hostIP: 'host; rm' }] }],
  ])('naming %s', (path, manifest) => {
    expect(appcError(() => parsePodManifest(manifest))).toMatchObject({ code: 'ERR_RKT_APPC_MANIFEST', path });
  });
});
