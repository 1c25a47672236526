// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { startTestRegistry, type TestRegistry } from '@rkt/registry/testing';
import { composeImage } from '@rkt/tooling-images';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../src/eventually.ts';
import { type HostState, hostState } from '../src/host-state.ts';
import { imageCache } from '../src/image-cache.ts';
import { type Installation, installation, mirrors } from '../src/rkt.ts';

let registry: TestRegistry;

beforeAll(async () => {
  registry = await startTestRegistry();
  await registry.addLayout(await composeImage('redis', imageCache), { repository: 'library/redis', tag: 'latest' });
});
afterAll(() => registry.close());

/** As in the tests of killed pods: where PID 1 waits for nobody, the dead keep their PID namespace. */
function settled(state: HostState): HostState {
  return { ...state, namespaces: state.namespaces.filter((line) => !line.endsWith(' pid')) };
}

/** An installation as a failing test leaves it: redis runs. */
async function abandoned(signal?: NodeJS.Signals): Promise<Installation> {
  const host = installation();
  host.configure('registries.d/mirrors.json', mirrors(['docker.io'], new URL(registry.origin).host));
  const run = host.start(['--insecure-options=image', 'run', 'docker://redis']);
  await eventually(() => run.output.stdout.includes('Ready to accept connections') || undefined);
  if (signal !== undefined) {
    run.child.kill(signal);
    await new Promise((resolve) => run.child.once('exit', resolve));
  }
  return host;
}

it.each([
  ['runs in the foreground', undefined],
  ['outlived its rkt', 'SIGKILL'],
] as const)('a pod that %s ends with its installation', async (_, signal) => {
  const before = settled(hostState());
  const host = await abandoned(signal);
  expect(hostState().cgroups.length).toBeGreaterThan(before.cgroups.length);
  await host[Symbol.asyncDispose]();
  expect(existsSync(host.dir)).toBe(false);
  expect(settled(hostState())).toEqual(before);
});
