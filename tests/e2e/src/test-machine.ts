// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestRegistry, type TestRegistry } from '@rkt/registry/testing';
import { composeImage } from '@rkt/tooling-images';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { type HostState, settledHostState } from './host-state.ts';
import { imageCache } from './image-cache.ts';
import { type Installation, installation, mirrors } from './rkt.ts';

/** Where the tests of a file run rkt: each in an installation of its own, with a registry that all of them share. */
export interface TestMachine extends Omit<Installation, typeof Symbol.asyncDispose> {
  readonly registry: TestRegistry;
  /** `HOST:PORT` of the registry. */
  readonly registryHost: string;
  /** The state of this machine before the test. */
  readonly before: HostState;
}

/** A name with its registry, as in `docker.io/library/redis`, and the image that is there, as `latest`. */
export type MachineImages = Readonly<Record<string, Parameters<typeof composeImage>[0]>>;

/** To be called where a test file begins. After each test the `state` of this machine has to be what it was before. */
export function testMachine(images: MachineImages, state: () => HostState = settledHostState): TestMachine {
  return machineFor(images, state, () => installation());
}

/** The same, where each installation has the images in its store, each fetched as `docker://NAME` when the file begins. */
export function machineWithStoredImages(images: MachineImages, state: () => HostState = settledHostState): TestMachine {
  let stored: string | undefined;
  const machine = machineFor(images, state, () => installation({ dataFrom: given(stored) }));
  beforeAll(async () => {
    stored = mkdtempSync(join(tmpdir(), 'rkt-e2e-stored-'));
    await using host = installation();
    host.configure('registries.d/mirrors.json', mirrors(registriesOf(images), machine.registryHost));
    const fetch = [
      '--insecure-options=image',
      'fetch',
      '--quiet',
      ...Object.keys(images).map((name) => `docker://${name}`),
    ];
    expect(await host.rkt(fetch)).toMatchObject({ status: 0 });
    execFileSync('cp', ['-a', `${host.dataDir}/.`, stored]);
  });
  afterAll(() => {
    if (stored !== undefined) rmSync(stored, { recursive: true, force: true });
  });
  return machine;
}

function machineFor(images: MachineImages, state: () => HostState, install: () => Installation): TestMachine {
  let registry: TestRegistry | undefined;
  let current: { readonly before: HostState; readonly host: Installation } | undefined;
  /** As the last test that left it as it was has found it: nothing happens between two tests. */
  let settled: HostState | undefined;
  const opened = (): TestRegistry => given(registry);
  const host = (): Installation => given(current).host;

  beforeAll(async () => {
    registry = await startTestRegistry();
    for (const [name, image] of Object.entries(images)) {
      const repository = name.slice(name.indexOf('/') + 1);
      await registry.addLayout(await composeImage(image, imageCache), { repository, tag: 'latest' });
    }
  });
  afterAll(() => registry?.close());
  beforeEach(() => {
    current = { before: settled ?? state(), host: install() };
    host().configure('registries.d/mirrors.json', mirrors(registriesOf(images), new URL(opened().origin).host));
  });
  afterEach(async () => {
    settled = undefined;
    await host()[Symbol.asyncDispose]();
    const { before } = given(current);
    expect(state()).toEqual(before);
    settled = before;
  });
  return {
    get registry() {
      return opened();
    },
    get registryHost() {
      return new URL(opened().origin).host;
    },
    get before() {
      return given(current).before;
    },
    get dir() {
      return host().dir;
    },
    get dataDir() {
      return host().dataDir;
    },
    get configDir() {
      return host().configDir;
    },
    rkt: (args, options) => host().rkt(args, options),
    start: (args, options) => host().start(args, options),
    configure: (path, content) => host().configure(path, content),
  };
}

function registriesOf(images: MachineImages): readonly string[] {
  return [...new Set(Object.keys(images).map((name) => name.slice(0, name.indexOf('/'))))];
}

function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a test machine is there for tests, not while they are collected');
  return value;
}
