// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestRegistry } from '@rkt/registry/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { demoRegistry, demoRkt } from '../support/demo-rkt.ts';
import { confining, type FakeRuntime } from '../support/fake-runtime.ts';
import type { Result, Rkt } from '../support/run-rkt.ts';

const insecure = '--insecure-options=image';
let registry: TestRegistry;
let image: string;
let dir: string;
let runtime: FakeRuntime;
let rkt: Rkt;

beforeAll(async () => {
  ({ registry, image } = await demoRegistry({ Entrypoint: ['/entry'] }));
});
afterAll(() => registry.close());
beforeEach(() => {
  ({ dir, runtime, rkt } = demoRkt());
});
afterEach(() => rmSync(dir, { recursive: true }));

async function preparedFlavor(...flags: readonly string[]): Promise<string | undefined> {
  expect(await rkt(insecure, 'prepare', ...flags, image)).toMatchObject({ status: 0 });
  return runtime.prepared.at(-1)?.sandbox.flavor;
}

function configure(name: string): void {
  mkdirSync(join(dir, 'etc/stage1.d'), { recursive: true });
  const document = { rktKind: 'stage1', rktVersion: 'v1', name, version: '1', location: '/x' };
  writeFileSync(join(dir, 'etc/stage1.d/stage1.json'), JSON.stringify(document));
}

describe('the flavor of a pod', () => {
  it('is nobody’s choice, that of a flag, or that of the configuration', async () => {
    expect(await preparedFlavor()).toBe(undefined);
    expect(await preparedFlavor('--flavor=mine')).toBe('mine');
    expect(await preparedFlavor('--stage1-name=mine')).toBe('mine');
    configure('coreos.com/rkt/stage1-fly');
    expect(await preparedFlavor()).toBe('fly');
    expect(await preparedFlavor('--flavor=oci')).toBe('oci');
  });

  it.each([
    ['coreos.com/rkt/stage1-fly:1.30.0', 'fly'],
    ['coreos.com/rkt/stage1-coreos', 'oci'],
    ['coreos.com/rkt/stage1-host:1.30.0', 'oci'],
    ['coreos.com/rkt/stage1-kvm:1.30.0', 'coreos.com/rkt/stage1-kvm:1.30.0'],
    ['example.com/stage1-fly', 'example.com/stage1-fly'],
  ])('by the original’s name %s is %s', async (name, flavor) => {
    expect(await preparedFlavor(`--stage1-name=${name}`)).toBe(flavor);
  });

  it('is not two at once', async () => {
    expect(await rkt(insecure, 'prepare', '--flavor=fly', '--stage1-name=oci', image)).toMatchObject({
      status: 254,
      stderr: expect.stringContaining('contradict each other'),
    });
  });

  it('has the network of the host where it has no other', async () => {
    runtime.traits = { ...confining, namespaces: [] };
    await preparedFlavor('--flavor=mine');
    expect(runtime.prepared[0]?.sandbox.networks).toEqual([{ name: 'host' }]);
  });

  it.each([
    ['run', ['--detach'], 'runs apps in the foreground alone'],
    ['run', [], 'runs one app in a pod, got 2'],
    ['prepare', [], 'runs one app in a pod, got 2'],
  ])('that cannot do what is asked of it is told before anything is fetched: %s %j', async (command, flags, said) => {
    runtime.traits = { ...confining, apps: 'one', detaches: false };
    const asked = registry.requests.length;
    const images = flags.length > 0 ? [image] : [image, image, '--name=b'];
    const result: Result = await rkt(insecure, command, '--flavor=mine', ...flags, ...images);
    expect(result).toMatchObject({ status: 254, stderr: expect.stringContaining(`flavor mine ${said}`) });
    expect(registry.requests).toHaveLength(asked);
  });

  it('says what it leaves out', async () => {
    runtime.notices = ['flavor mine ignores the moon'];
    const { stderr } = await rkt(insecure, 'prepare', '--flavor=mine', image);
    expect(stderr).toContain('prepare: warning: flavor mine ignores the moon\n');
  });
});
