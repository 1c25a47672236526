// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { storedNameOf } from '../../src/images/appc-name.ts';
import { familiarName } from '../../src/images/image-names.ts';
import { meantNames } from '../../src/images/near-name.ts';

const names = [
  'redis:latest',
  'localhost/big:latest',
  'quay.io/a/tool:1',
  'ghcr.io/b/tool:2',
  'coreos.com/etcd:v2.0.9',
];

describe('what was meant by a name that no image has', () => {
  it.each([
    ['big', ['localhost/big:latest']],
    ['big:latest', ['localhost/big:latest']],
    ['tool', ['quay.io/a/tool:1', 'ghcr.io/b/tool:2']],
    ['tool:2', ['ghcr.io/b/tool:2']],
    ['redsi', ['redis:latest']],
    ['redis:lates', ['redis:latest']],
    ['etcd', ['coreos.com/etcd:v2.0.9']],
    ['nginx', []],
    ['', []],
  ])('%s is %j', (typed, meant) => {
    expect(meantNames(names, typed)).toEqual(meant);
  });

  it('is three names at most', () => {
    expect(meantNames(['a/x', 'b/x', 'c/x', 'd/x'], 'x')).toEqual(['a/x', 'b/x', 'c/x']);
  });
});

describe('the name people read', () => {
  it.each([
    ['docker.io/library/redis:latest', 'redis:latest'],
    ['docker.io/me/app:1', 'me/app:1'],
    ['127.0.0.1:5000/library/app:1', '127.0.0.1:5000/library/app:1'],
    [`docker.io/library/redis@sha256:${'0'.repeat(64)}`, `redis@sha256:${'0'.repeat(64)}`],
    ['coreos.com/etcd:v2.0.9', 'coreos.com/etcd:v2.0.9'],
    ['example.com/small', 'example.com/small'],
    ['docker.io/library/redis:<none>', 'redis:<none>'],
    ['not a reference', 'not a reference'],
  ])('of %s is %s', (stored, familiar) => {
    expect(familiarName(stored)).toBe(familiar);
  });

  it.each([
    ['registry-1.docker.io/library/redis', 'latest', 'docker.io/library/redis:latest'],
    ['127.0.0.1_5000/app', '1', '127.0.0.1:5000/app:1'],
    ['coreos.com/etcd:v2.0.9', 'v2.0.9', 'coreos.com/etcd:v2.0.9'],
    ['quay.io/a_1/b', undefined, 'quay.io/a_1/b'],
  ])('of the manifest’s %s, version %s, is in full %s', (name, version, stored) => {
    expect(storedNameOf(name, version)).toBe(stored);
  });
});
