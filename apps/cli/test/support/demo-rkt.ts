// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestRegistry, type TestRegistry } from '@rkt/registry/testing';
import { type FakeRuntime, fakeRuntime } from './fake-runtime.ts';
import { type Rkt, rktWith } from './run-rkt.ts';
import { layerOf } from './tar.ts';

/** A registry with one image, whose only file is `entry`; to be closed. */
export async function demoRegistry(
  config: Readonly<Record<string, unknown>>,
): Promise<{ registry: TestRegistry; image: string }> {
  const registry = await startTestRegistry();
  await registry.putImage({ repository: 'demo', tag: 'latest' }, { layers: [layerOf('entry', 'x')], config });
  return { registry, image: `docker://${registry.domain}/demo` };
}

export interface DemoRkt {
  /** To be removed. */
  readonly dir: string;
  readonly runtime: FakeRuntime;
  readonly rkt: Rkt;
}

/** An rkt in a directory of its own, with a store, and a runtime that runs nothing. */
export function demoRkt(): DemoRkt {
  const dir = mkdtempSync(join(tmpdir(), 'rkt-cli-demo-'));
  const runtime = fakeRuntime(join(dir, 'data'));
  const probeErofs = async () => ({ usable: false, reason: 'a test' }) as const;
  return { dir, runtime, rkt: rktWith(dir, { openRuntime: async () => runtime, probeErofs }) };
}
