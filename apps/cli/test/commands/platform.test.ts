// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostPlatform } from '@rkt/registry';
import { startTestRegistry, type TestRegistry } from '@rkt/registry/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Rkt, rktWith } from '../support/run-rkt.ts';
import { layerOf } from '../support/tar.ts';

const insecure = '--insecure-options=image';
const { architecture: own } = hostPlatform();
const other = own === 'arm64' ? 'amd64' : 'arm64';
const otherLabel = other === 'arm64' ? 'aarch64' : 'amd64';
const image = 'docker://registry.example/multi';
let registry: TestRegistry;
let dir: string;
let rkt: Rkt;

beforeAll(async () => {
  registry = await startTestRegistry();
  const manifests = [
    await entry({ architecture: own }),
    await entry({ architecture: other }),
    await entry({ architecture: 'arm', variant: 'v5' }),
    await entry({ architecture: 'arm', variant: 'v7' }),
  ];
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const index = JSON.stringify({ schemaVersion: 2, mediaType, manifests });
  registry.putManifest('multi', new TextEncoder().encode(index), { mediaType, tag: 'latest' });
  await registry.putImage({ repository: 'single', tag: 'latest' }, { layers: [layerOf('x', own)], architecture: own });
});
afterAll(() => registry.close());
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-cli-platform-'));
  rkt = rktWith(dir);
  const registries = [{ domain: 'registry.example', mirrors: [{ location: registry.domain }] }];
  mkdirSync(join(dir, 'etc/registries.d'), { recursive: true });
  const mirrors = JSON.stringify({ rktKind: 'registryMirrors', rktVersion: 'v1', registries });
  writeFileSync(join(dir, 'etc/registries.d/mirror.json'), mirrors);
});
afterEach(() => rmSync(dir, { recursive: true }));

async function entry(platform: { readonly architecture: string; readonly variant?: string }): Promise<object> {
  const name = [platform.architecture, platform.variant].join('');
  const { manifest, mediaType } = await registry.putImage(
    { repository: 'multi' },
    { layers: [layerOf('etc/platform', name)], ...platform },
  );
  return { mediaType, ...manifest, platform: { os: 'linux', ...platform } };
}

async function labelsOf(id: string): Promise<Readonly<Record<string, string>>> {
  const { stdout } = await rkt('image', 'cat-manifest', id);
  const { labels }: { labels: readonly { name: string; value: string }[] } = JSON.parse(stdout);
  return Object.fromEntries(labels.map(({ name, value }) => [name, value]));
}

async function fetched(...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await rkt(insecure, 'fetch', '--progress=none', ...args);
  expect(status, stderr).toBe(0);
  return stdout.trim();
}

describe('--platform', () => {
  it('chooses the image of an index, with the variant that runs there best', async () => {
    expect(await labelsOf(await fetched(`--platform=linux/${other}`, image))).toMatchObject({ arch: otherLabel });
    expect(await labelsOf(await fetched('--platform=linux/arm/v6', image))).toMatchObject({ arch: 'armv5l' });
    expect(await labelsOf(await fetched('--platform=linux/arm', image))).toMatchObject({ arch: 'armv7l' });
  });

  it('tells images of one reference apart, whatever the pull policy', async () => {
    const first = await fetched(image);
    const arm = await fetched('--pull-policy=new', '--platform=linux/arm', image);
    expect(arm).not.toBe(first);
    for (const policy of ['new', 'update', 'never']) {
      expect(await fetched(`--pull-policy=${policy}`, '--platform=linux/arm', image)).toBe(arm);
    }
    expect(await fetched('--pull-policy=new', image)).toBe(first);
    const { status, stderr } = await rkt('fetch', '--pull-policy=never', `--platform=linux/${other}`, image);
    expect([status, stderr]).toEqual([254, expect.stringContaining('was not found in the store')]);
  });

  it("that is this machine's means what is stored without it, in any spelling", async () => {
    const first = await fetched(image);
    const requests = registry.requests.length;
    const spellings = own === 'amd64' ? ['linux/amd64', 'linux/x86_64', 'linux/amd64/v1'] : [`linux/${own}`];
    for (const platform of spellings) {
      expect(await fetched('--pull-policy=new', `--platform=${platform}`, image)).toBe(first);
    }
    expect(registry.requests.length).toBe(requests);
  });

  it('has one name in the store, however it is spelled', async () => {
    const spellings = other === 'arm64' ? ['arm64', 'aarch64', 'arm64/v8'] : ['amd64', 'x86_64', 'amd64/v1'];
    for (const first of spellings) {
      const id = await fetched(`--platform=linux/${first}`, image);
      for (const then of spellings) {
        expect(await fetched('--pull-policy=never', `--platform=linux/${then}`, image)).toBe(id);
      }
      await rkt('image', 'rm', id);
    }
  });

  it('that there is none of says which there are', async () => {
    const { status, stdout, stderr } = await rkt(insecure, 'fetch', '--progress=none', '--platform=linux/s390x', image);
    expect([status, stdout]).toEqual([254, '']);
    expect(stderr).toContain(
      `has no image for linux/s390x; it has linux/${own}, linux/${other}, linux/arm/v5, linux/arm/v7`,
    );
    expect(stderr).toContain('hint: choose one that there is, as --platform=');
    const single = await rkt(insecure, 'fetch', `--platform=linux/${other}`, 'docker://registry.example/single');
    expect([single.status, single.stderr]).toEqual([254, expect.stringContaining(`it has linux/${own}`)]);
  });

  it('is demanded of an image that is named by its ID or name', async () => {
    const foreign = await fetched(`--platform=linux/${other}`, image);
    const name = 'registry.example/multi';
    for (const stored of [foreign, name]) {
      const { status, stderr } = await rkt('fetch', `--platform=linux/${own}`, stored);
      const text = `is for linux/${other}, not for linux/${own}`;
      expect([status, stderr]).toEqual([254, expect.stringContaining(text)]);
      expect((await rkt('fetch', `--platform=linux/${other}`, stored)).stdout.trim()).toBe(foreign);
    }
    // Of two images of a name, this machine's is meant, whichever came last.
    const mine = await fetched(image);
    await fetched(`--platform=linux/${other}`, image);
    expect((await rkt('fetch', name)).stdout.trim()).toBe(mine);
  });

  it('leaves every image of a reference its name', async () => {
    const name = 'registry.example/multi:latest';
    const [mine, foreign] = [
      await fetched('--full', image),
      await fetched('--full', `--platform=linux/${other}`, image),
    ];
    const { stdout } = await rkt('image', 'list', '--no-legend', '--full', '--fields=id,name');
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(/\t+/)),
    ).toEqual([mine, foreign].map((id) => [id, name]));
    for (const id of [mine, foreign]) {
      const { stdout: said, stderr } = await rkt('image', 'rm', name);
      expect([said, stderr]).toEqual([expect.stringContaining(id), expect.stringContaining(`it was called ${name}`)]);
    }
  });

  it('chooses between images of one name in the store, which the list tells apart', async () => {
    const name = 'registry.example/multi:latest';
    const [mine, foreign] = [
      await fetched('--full', image),
      await fetched('--full', `--platform=linux/${other}`, image),
    ];
    const list = await rkt('image', 'list');
    expect(list.stdout.split('\n').map((line) => line.split(/\t+/).at(-1))).toEqual([
      'PLATFORM',
      `linux/${own}`,
      `linux/${other}`,
      '',
    ]);
    const json: readonly { id: string; platform: string }[] = JSON.parse(
      (await rkt('image', 'list', '--format=json')).stdout,
    );
    expect(json.map(({ id, platform }) => [id, platform])).toEqual([
      [mine, `linux/${own}`],
      [foreign, `linux/${other}`],
    ]);
    const inspected = async (...flags: readonly string[]): Promise<string> =>
      JSON.parse((await rkt('image', 'inspect', ...flags, name)).stdout)[0].id;
    expect([await inspected(), await inspected(`--platform=linux/${other}`)]).toEqual([mine, foreign]);
    const file = join(dir, 'multi.tar');
    expect(await rkt('image', 'export', `--platform=linux/${other}`, name, `docker-archive:${file}`)).toMatchObject({
      status: 0,
      stderr: '',
    });
    const none = await rkt('image', 'export', '--platform=linux/s390x', name, 'oci:none');
    expect([none.status, none.stderr]).toEqual([
      254,
      expect.stringContaining(`is for linux/${other}, not for linux/s390x`),
    ]);
    await rkt('image', 'rm', `--platform=linux/${other}`, name);
    // The name stays that of this machine's image, too: nothing is taken from it.
    const imported = await rkt(
      insecure,
      'fetch',
      '--progress=none',
      `--platform=linux/${other}`,
      `docker-archive:${file}`,
    );
    expect(imported.stderr).toContain(`imported image as ${name}\n`);
    expect(imported.stderr).not.toContain('warning');
    expect(await inspected()).toBe(mine);
  });

  it('is no column of the list while all images are for this machine', async () => {
    await fetched(image);
    expect((await rkt('image', 'list')).stdout).not.toContain('PLATFORM');
    expect((await rkt('image', 'list', '--fields=platform', '--no-legend')).stdout).toBe(`linux/${own}\n`);
  });

  it('of an image that is run by a name must be that of this machine, unless another is asked for', async () => {
    const foreign = await fetched(`--platform=linux/${other}`, image);
    for (const command of ['fetch', 'prepare']) {
      const { status, stdout, stderr } = await rkt(command, 'registry.example/multi');
      expect([status, stdout]).toEqual([254, '']);
      expect(stderr).toContain(
        `stored image "registry.example/multi:latest" is for linux/${other}, not for linux/${own}`,
      );
      expect(stderr).toContain(`--platform=linux/${other}`);
    }
    // An ID is that image, and to look at one is not to run it.
    expect((await rkt('fetch', foreign)).stdout.trim()).toBe(foreign);
    expect((await rkt('image', 'inspect', 'registry.example/multi')).stdout).toContain(foreign);
  });

  it.each([
    ['arm64', 'it must be OS/ARCH[/VARIANT], for example linux/arm64'],
    ['linux/arm/v7/x', 'it must be OS/ARCH[/VARIANT]'],
    ['linux/', 'it must be OS/ARCH[/VARIANT]'],
    ['plan9/amd64', 'no known platform is called "plan9/amd64"'],
  ])('%s is refused before anybody is asked', async (platform, reason) => {
    const requests = registry.requests.length;
    const { status, stderr } = await rkt(insecure, 'fetch', `--platform=${platform}`, image);
    expect([status, stderr]).toEqual([254, expect.stringContaining(reason)]);
    expect(registry.requests.length).toBe(requests);
  });

  it('is also for prepare: what is not there for it is not run', async () => {
    const { status, stderr } = await rkt(insecure, 'prepare', '--progress=none', '--platform=linux/s390x', image);
    expect([status, stderr]).toEqual([254, expect.stringContaining('has no image for linux/s390x')]);
  });
});
