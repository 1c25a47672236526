// SPDX-License-Identifier: Apache-2.0
import type { ImageManifest } from '@rkt/appc';
import { changedManifest, imageOrigin } from '@rkt/docker2aci';
import { expect, it } from 'vitest';

const image: ImageManifest = { acKind: 'ImageManifest', acVersion: '0.8.11', name: 'example.com/app' };

it('is the same app of the same name and repository, and not the same image', () => {
  const repository = { name: 'appc.io/docker/repository', value: 'library/redis' };
  const annotations = [
    { name: 'appc.io/docker/registryurl', value: 'registry-1.docker.io' },
    repository,
    { name: 'appc.io/docker/imageid', value: `sha256:${'a'.repeat(64)}` },
    { name: 'appc.io/docker/manifesthash', value: `sha256:${'b'.repeat(64)}` },
  ];
  const converted = { ...image, app: { exec: ['/bin/x'], user: '0', group: '0' }, annotations };
  expect(imageOrigin(converted)).toBeDefined();
  const changed = changedManifest(converted);
  expect(changed).toEqual({ ...converted, annotations: annotations.slice(0, 2) });
  expect(imageOrigin(changed)).toBeUndefined();
});

it('depends on nothing and hides nothing', () => {
  const whole = { ...image, dependencies: [{ imageName: 'example.com/base' }], pathWhitelist: ['/'] };
  expect(changedManifest(whole)).toEqual(image);
});
