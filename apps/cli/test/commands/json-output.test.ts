// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestRegistry } from '@rkt/registry/testing';
import type { Pod } from '@rkt/stage1';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands } from '../../src/args/commands.ts';
import { demoRegistry, demoRkt } from '../support/demo-rkt.ts';
import { fakeIo } from '../support/fake-io.ts';
import { type FakeRuntime, fakePod } from '../support/fake-runtime.ts';
import { type Result, type Rkt, rktWith } from '../support/run-rkt.ts';

const page = readFileSync(new URL('../../../../docs/contracts/json-output.md', import.meta.url), 'utf8');
const sections = page.split(/^## /m).slice(1);
const namesIn = (text: string): readonly string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);

/** The fields of a command's section: what stands for them, and whether that is a document of another form. */
function documented(command: string): ReadonlyMap<string, boolean> {
  const section = sections.find((text) => namesIn(text.split('\n')[0] ?? '').includes(command)) ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  return new Map(rows.map((row) => [namesIn(row)[0] ?? '', row.includes('_document_')]));
}

/** Paths of all that is in a value: `apps[].name`. */
function pathsIn(value: unknown, isDocument: (path: string) => boolean, at = ''): readonly string[] {
  if (at !== '' && isDocument(at)) return [at];
  if (Array.isArray(value)) return value.flatMap((each) => pathsIn(each, isDocument, at === '' ? '' : `${at}[]`));
  if (typeof value !== 'object' || value === null) return [at];
  return Object.entries(value).flatMap(([key, each]) => pathsIn(each, isDocument, at === '' ? key : `${at}.${key}`));
}

const imageId = `sha512-${'77'.repeat(64)}` as const;
const full: Pod = fakePod({
  id: '5bc080ca-9e03-480d-b705-5928af396cc5',
  startedAt: 1,
  users: { first: 1_000_000, count: 65_536 },
  networks: [{ netName: 'default', ifName: 'eth0', ip: '172.16.28.7' }],
  ports: [{ protocol: 'tcp', hostIP: '127.0.0.1', hostPort: 80, podPort: 8080 }],
  apps: [
    {
      ...{ name: 'web', imageId, state: 'exited', exitCode: 3, createdAt: 1, startedAt: 1, finishedAt: 2, restarts: 1 },
      ...{ outOfMemory: true, health: { status: 'healthy', failures: 0, checkedAt: 1, exitCode: 0 } },
    },
  ],
  manifest: {
    acVersion: '0.8.11',
    acKind: 'PodManifest',
    userAnnotations: { a: 'b' },
    userLabels: { a: 'b' },
    apps: [
      {
        name: 'web',
        image: { id: imageId, name: 'example.com/web' },
        app: { exec: ['x'], user: '0', group: '0', userAnnotations: { a: 'b' }, userLabels: { a: 'b' } },
        mounts: [{ volume: 'v', path: '/v' }],
      },
    ],
    volumes: [{ name: 'v', kind: 'empty' }],
  },
});
const { createdAt: _, restarts: __, outOfMemory: ___, health: ____, ...plainApp } = full.apps[0] ?? { name: '' };
const plain = fakePod({
  id: '77777777-9e03-480d-b705-5928af396cc5',
  apps: [{ ...plainApp, imageName: 'example.com/web' }] as Pod['apps'],
  manifest: { acVersion: '0.8.11', acKind: 'PodManifest', apps: [] },
});
const exited = fakePod({ id: '88888888-9e03-480d-b705-5928af396cc5', state: 'exited' });

let registry: TestRegistry;
let dir: string;
let runtime: FakeRuntime;
let rkt: Rkt;
let image: string;
beforeAll(async () => {
  ({ registry, image } = await demoRegistry({ Cmd: ['serve'] }));
  ({ dir, runtime, rkt } = demoRkt());
  runtime.exit(0);
});
afterAll(async () => {
  await registry.close();
  rmSync(dir, { recursive: true });
});

function layerFile(): string {
  const layers = join(dir, 'data/cas/layers/sha256');
  const file = readdirSync(layers, { recursive: true, encoding: 'utf8' }).find((name) => name.endsWith('.tar'));
  return join(layers, file ?? '');
}

/** What is to be there before the lines of a command, and the lines that print every field it has. */
const lines: Readonly<Record<string, readonly (readonly string[])[]>> = {
  list: [['list']],
  ps: [['ps']],
  status: [['status', full.id]],
  'app list': [['app', 'list', plain.id]],
  'app status': [['app', 'status', plain.id]],
  fetch: [['--insecure-options=image', 'fetch']],
  inspect: [['inspect', full.id]],
  'image list': [['image', 'list']],
  'image inspect': [['image', 'inspect']],
  'image history': [['image', 'history']],
  'image verify': [['image', 'verify']],
  'image gc': [['image', 'gc', '--grace-period=0s']],
  'image rm': [['image', 'rm', '--all']],
  gc: [['gc']],
  stop: [['stop', full.id, exited.id]],
  rm: [['rm', exited.id]],
  kill: [['kill', '--app=web', full.id]],
  wait: [
    ['wait', '--app=web', full.id],
    ['wait', '--condition=healthy', full.id],
  ],
  version: [['version']],
};
const others = ['cat-manifest', 'image cat-manifest', 'config'];
const takesImage = new Set(['fetch', 'image inspect', 'image history']);
/** Where a section is that of several commands, or the image has nothing of it, a field need not be printed. */
const sharing: Readonly<Record<string, readonly string[]>> = {
  'image history': ['created'],
  'image verify': ['diff_id', 'actual'],
  stop: ['reason'],
  rm: ['reason'],
};

async function print(command: string): Promise<readonly Result[]> {
  runtime.pods.clear();
  for (const pod of [full, plain, exited]) runtime.pods.set(pod.id, pod);
  runtime.gcEvents = [
    { kind: 'marked', id: 'a', to: 'garbage' },
    { kind: 'kept', id: 'c', reason: 'running' },
  ];
  await rkt('--insecure-options=image', 'fetch', image);
  const results: Result[] = [];
  for (const line of lines[command] ?? []) {
    results.push(await rkt(...line, '--format=json', ...(takesImage.has(command) ? [image] : [])));
  }
  return results;
}

describe('what is printed as JSON', () => {
  it.each(Object.keys(lines))('of %s is what the page says', async (command) => {
    const fields = documented(command);
    const shared = command === 'inspect' ? documented('status') : new Map<string, boolean>();
    const known = new Map([...shared, ...fields]);
    const results = await print(command);
    for (const { status, stdout } of results) {
      expect([status, stdout.split('\n').length]).toEqual([0, 2]);
    }
    const found = results.flatMap(({ stdout }) => pathsIn(JSON.parse(stdout), (path) => known.get(path) === true));
    const printed = new Set(found.map((path) => (known.get(`${path}[]`) === true ? `${path}[]` : path)));
    expect(
      [...printed].filter((path) => !known.has(path)),
      'not on the page',
    ).toEqual([]);
    const missing = [...fields.keys()].filter((path) => !printed.has(path));
    expect(missing, 'not printed').toEqual(sharing[command] ?? []);
  });

  it('of image verify tells of damage, and the status does', async () => {
    await rkt('--insecure-options=image', 'fetch', image);
    const file = layerFile();
    const whole = readFileSync(file);
    writeFileSync(file, Buffer.concat([whole.subarray(0, 600), Buffer.from('x'), whole.subarray(601)]));
    const { status, stdout } = await rkt('image', 'verify', '--format=json');
    expect(status).toBe(254);
    const [first] = JSON.parse(stdout);
    expect(first).toMatchObject({ kind: 'layer-corrupt', diff_id: expect.stringMatching(/^sha256:/) });
    expect(Object.keys(first).sort()).toEqual([...documented('image verify').keys()].sort());
    writeFileSync(file, whole);
  });

  it('has what was done although the rest failed', async () => {
    await print('list');
    const { status, stdout, stderr } = await rkt('stop', '--format=json', full.id, 'nosuch');
    expect([status, JSON.parse(stdout)]).toEqual([254, [{ name: full.id, result: 'stopped' }]]);
    expect(stderr).toContain('begins with "nosuch"');
  });

  it.each([
    ['image', 'gc', '--grace-period=0s'],
    ['image', 'rm', '--all'],
  ])('of %s %s %s has what is gone although the disk failed then', async (...line) => {
    await rkt('--insecure-options=image', 'fetch', image);
    const file = layerFile();
    rmSync(file);
    // What is to be removed is no file.
    mkdirSync(file);
    const { status, stdout, stderr } = await rkt(...line, '--format=json');
    rmSync(file, { recursive: true });
    expect([status, stderr]).toEqual([254, expect.stringContaining('cannot remove a layer')]);
    expect(JSON.parse(stdout)).toEqual([expect.objectContaining({ kind: 'image' })]);
    expect(stderr).toContain('1 image(s) successfully removed');
  });

  it.each([['inspect'], ['stop']])('of %s has what was done before it was called off', async (command) => {
    await print('list');
    const io = fakeIo();
    const { inspect } = runtime;
    runtime.inspect = async (id) => {
      io.send('SIGINT');
      return inspect(id);
    };
    try {
      const { status, stdout } = await rkt.within(io, command, '--format=json', exited.id, full.id);
      expect([status, JSON.parse(stdout)]).toEqual([130, [expect.objectContaining({ name: exited.id })]]);
    } finally {
      runtime.inspect = inspect;
    }
  });

  it.each([['stop', full.id], ['gc'], ['image', 'gc']])(
    'of %s is there although nothing could be done',
    async (...line) => {
      const fail = async (): Promise<never> => {
        throw new Error('broken');
      };
      const broken = rktWith(dir, { openRuntime: fail, openStore: fail });
      const { status, stdout } = await broken(...line, '--format=json');
      expect([status, stdout]).toEqual([254, '[]\n']);
    },
  );

  it('is an empty array where nothing is to be told', async () => {
    const nothing = rktWith(join(dir, 'nothing'), { openRuntime: async () => runtime });
    for (const line of [
      ['image', 'gc'],
      ['image', 'list'],
      ['image', 'verify'],
      ['image', 'rm', '--all'],
    ]) {
      expect((await nothing(...line, '--format=json')).stdout, line.join(' ')).toBe('[]\n');
    }
  });
});

/** All there are: the compiler knows. */
const states: Readonly<Record<Pod['state'], true>> = {
  ...{ embryo: true, preparing: true, 'aborted prepare': true, prepared: true, running: true, orphaned: true },
  ...{ deleting: true, 'exited deleting': true, exited: true, 'exited garbage': true, garbage: true },
};

describe('the page', () => {
  it('has every state of a pod', () => {
    const row = page.split('\n').find((line) => line.startsWith('| `state`')) ?? '';
    expect(namesIn(row).slice(1).sort()).toEqual(Object.keys(states).sort());
  });

  const shown = commands.filter(({ hidden }) => hidden !== true);
  const formatted = shown.filter(({ flags }) => flags.some(({ name }) => name === 'format')).map(({ name }) => name);

  it('has a section for every command that prints JSON, and no other', () => {
    const headed = sections.flatMap((text) => namesIn(text.split('\n')[0] ?? ''));
    expect([...headed].sort()).toEqual([...formatted].sort());
    expect([...Object.keys(lines), ...others].sort()).toEqual([...formatted].sort());
  });

  it('says of every other command why it prints none', () => {
    const table = sections.find((text) => text.startsWith('Without it')) ?? '';
    const rows = table.split('\n').filter((line) => line.startsWith('| `'));
    const told = rows.flatMap((row) => namesIn(row.split('|')[1] ?? '')).filter((name) => name !== 'run --detach');
    expect([...told].sort()).toEqual(
      shown
        .map(({ name }) => name)
        .filter((name) => !formatted.includes(name))
        .sort(),
    );
  });
});
