// SPDX-License-Identifier: Apache-2.0
import { startTestRegistry, type TestRegistry } from '@rkt/registry/testing';
import { layerOf } from './tar.ts';

/** A registry that has `team/demo:v1`: two layers of a file each, `etc/one` and `etc/two`. */
export async function demoRegistry(): Promise<TestRegistry> {
  const registry = await startTestRegistry();
  await registry.putImage(
    { repository: 'team/demo', tag: 'v1' },
    { layers: [layerOf('etc/one', 'one\n'), layerOf('etc/two', 'two\n')], config: { Entrypoint: ['/etc/one'] } },
  );
  return registry;
}
