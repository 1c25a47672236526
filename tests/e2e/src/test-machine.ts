// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestRegistry, type TestRegistry } from '@rkt/registry/testing';
import { composeImage } from '@rkt/tooling-images';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { type ComparedHost, comparedHost, given } from './compared-host.ts';
import { type HostState, settledHostState } from './host-state.ts';
import { imageCache } from './image-cache.ts';
import { type InstallationOptions, installation, mirrors } from './rkt.ts';

/** Where the tests of a file run rkt: each in an installation of its own, with a registry that all of them share. */
export interface TestMachine extends ComparedHost {
  readonly registry: TestRegistry;
  /** `HOST:PORT` of the registry. */
  readonly registryHost: string;
}

/** A name with its registry, as in `docker.io/library/redis`, and the image that is there, as `latest`. */
export type MachineImages = Readonly<Record<string, Parameters<typeof composeImage>[0]>>;

/** To be called where a test file begins. After each test the `state` of this machine has to be what it was before. */
export function testMachine(images: MachineImages, state: () => HostState = settledHostState): TestMachine {
  return machineFor(images, state, () => ({}));
}

/** The same, where each installation has the images in its store, each fetched as `docker://NAME` when the file begins. */
export function machineWithStoredImages(images: MachineImages, state: () => HostState = settledHostState): TestMachine {
  let stored: string | undefined;
  const machine = machineFor(images, state, () => ({ dataFrom: given(stored) }));
  beforeAll(async () => {
    stored = mkdtempSync(join(tmpdir(), 'rkt-e2e-stored-'));
    await using host = installation();
    host.configure('registries.d/mirrors.json', mirrors(registriesOf(images), machine.registryHost));
    const references = Object.keys(images).map((name) => `docker://${name}`);
    const fetched = await host.rkt(['--insecure-options=image', 'fetch', '--quiet', ...references]);
    expect(fetched).toMatchObject({ status: 0 });
    execFileSync('cp', ['-a', `${host.dataDir}/.`, stored]);
  });
  afterAll(() => {
    if (stored !== undefined) rmSync(stored, { recursive: true, force: true });
  });
  return machine;
}

function machineFor(images: MachineImages, state: () => HostState, options: () => InstallationOptions): TestMachine {
  let registry: TestRegistry | undefined;
  const opened = (): TestRegistry => given(registry);
  const registryHost = (): string => new URL(opened().origin).host;

  beforeAll(async () => {
    registry = await startTestRegistry();
    for (const [name, image] of Object.entries(images)) {
      const repository = name.slice(name.indexOf('/') + 1);
      await registry.addLayout(await composeImage(image, imageCache), { repository, tag: 'latest' });
    }
  });
  afterAll(() => registry?.close());
  const host = comparedHost(state, options);
  beforeEach(() => host.configure('registries.d/mirrors.json', mirrors(registriesOf(images), registryHost())));
  return Object.create(host, { registry: { get: opened }, registryHost: { get: registryHost } });
}

function registriesOf(images: MachineImages): readonly string[] {
  return [...new Set(Object.keys(images).map((name) => name.slice(0, name.indexOf('/'))))];
}
