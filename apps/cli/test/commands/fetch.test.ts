// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { startTestRegistry, type TestRegistry } from '@rkt/registry/testing';
import { StoreError } from '@rkt/store';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { installedLibraries } from '../../src/wiring/installed-libraries.ts';
import { fakeIo } from '../support/fake-io.ts';
import { fakeWeb } from '../support/fake-web.ts';
import { type Rkt, rktWith } from '../support/run-rkt.ts';
import { layerOf } from '../support/tar.ts';

const insecure = '--insecure-options=image';
const layers = [layerOf('etc/one', 'one\n'), layerOf('etc/two', 'two\n')];
let registry: TestRegistry;
let digests: readonly string[];
let dir: string;
let rkt: Rkt;

beforeAll(async () => {
  registry = await startTestRegistry();
  const { layers: placed } = await registry.putImage(
    { repository: 'library/demo', tag: 'latest' },
    { layers, config: { Entrypoint: ['/etc/one'], Cmd: ['a'] } },
  );
  digests = placed.map(({ digest }) => digest.slice('sha256:'.length));
});
afterAll(() => registry.close());

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-cli-fetch-'));
  configure('registries.d/mirror.json', {
    rktKind: 'registryMirrors',
    rktVersion: 'v1',
    registries: [{ domain: 'docker.io', mirrors: [{ location: registry.domain, insecure: true }] }],
  });
  rkt = rktWith(dir, fakeWeb().libraries);
});
afterEach(() => {
  registry.clearFaults();
  rmSync(dir, { recursive: true });
});

function configure(path: string, content: unknown): void {
  const file = join(dir, 'etc', path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
}

async function requestsOf(work: () => Promise<unknown>): Promise<readonly string[]> {
  const before = registry.requests.length;
  await work();
  return registry.requests.slice(before).map(({ method, path }) => `${method} ${path}`);
}

describe('fetch', () => {
  it('tells on standard error what it does and prints the short ID alone on standard output', async () => {
    const { status, stdout, stderr } = await rkt(insecure, 'fetch', 'docker://demo');
    const [first, second, ...downloads] = stderr.trimEnd().split('\n');
    expect([status, first, second]).toEqual([
      0,
      'rkt: fetching image from docker://demo',
      'rkt: warning: image signature verification has been disabled',
    ]);
    expect(downloads.sort()).toEqual(digests.map((hex) => `Downloading layer: ${hex}`).sort());
    expect(stdout).toMatch(/^sha512-[0-9a-f]{32}\n$/);
    expect((await rkt(insecure, 'fetch', '--full', 'docker://demo')).stdout).toMatch(
      new RegExp(`^${stdout.trimEnd()}[0-9a-f]{96}\n$`),
    );
  });

  it('transfers manifest and configuration alone of an image whose layers are all there', async () => {
    await registry.putImage(
      { repository: 'library/other', tag: 'latest' },
      { layers, config: { Entrypoint: ['/etc/two'] } },
    );
    await rkt(insecure, 'fetch', 'docker://demo');
    const requests = await requestsOf(async () => {
      expect(await rkt(insecure, 'fetch', 'docker://other')).toMatchObject({ status: 0 });
    });
    const paths = requests.filter((request) => request.includes('/library/other/'));
    expect(paths.filter((request) => request.includes('/manifests/')).length).toBeGreaterThan(0);
    expect(paths.filter((request) => request.includes('/blobs/'))).toEqual([
      expect.stringMatching(/^GET \/v2\/library\/other\/blobs\/sha256:/),
    ]);
    for (const hex of digests) expect(requests.join('\n')).not.toContain(hex);
  });

  it('asks again with one HEAD request and transfers nothing while the tag is unchanged, in any spelling', async () => {
    const first = await rkt(insecure, 'fetch', 'docker://demo');
    const asked = await requestsOf(async () => {
      expect(await rkt(insecure, 'fetch', 'docker://docker.io/library/demo:latest')).toEqual({ ...first, stderr: '' });
    });
    expect(asked).toEqual(['HEAD /v2/library/demo/manifests/latest']);
  });

  it('notices that a tag has moved', async () => {
    await registry.putImage({ repository: 'library/moving', tag: 'latest' }, { layers: layers.slice(0, 1) });
    const before = await rkt(insecure, 'fetch', 'docker://moving');
    await registry.putImage({ repository: 'library/moving', tag: 'latest' }, { layers });
    expect((await rkt(insecure, 'fetch', '--pull-policy=new', 'docker://moving')).stdout).toBe(before.stdout);
    const after = await rkt(insecure, 'fetch', 'docker://moving');
    expect(after.stdout).not.toBe(before.stdout);
    expect(after.stderr.match(/^Downloading layer/gm)).toHaveLength(1);
  });

  it('asks nobody with --pull-policy=never, nor for an image that is there with new', async () => {
    const asked = await requestsOf(async () => {
      const { status, stderr } = await rkt(insecure, 'fetch', '--pull-policy=never', 'docker://demo');
      expect([status, stderr]).toEqual([
        254,
        expect.stringContaining('unable to fetch docker image from URL "docker://demo"'),
      ]);
    });
    await rkt(insecure, 'fetch', 'docker://demo');
    const again = await requestsOf(async () => {
      expect(await rkt('fetch', '--pull-policy=new', 'docker://demo')).toMatchObject({ status: 0, stderr: '' });
      expect(await rkt('fetch', '--pull-policy=never', 'docker://demo')).toMatchObject({ status: 0, stderr: '' });
    });
    expect([...asked, ...again]).toEqual([]);
  });

  it('refuses without --insecure-options=image, before it asks anybody', async () => {
    const asked = await requestsOf(async () => {
      expect(await rkt('fetch', 'docker://demo')).toEqual({
        status: 254,
        stdout: '',
        stderr: 'fetch: signature verification for docker images is not supported (try --insecure-options=image)\n',
      });
    });
    expect(asked).toEqual([]);
  });

  it('needs no consent to what is in the store and has not changed, but to what has', async () => {
    await registry.putImage({ repository: 'library/kept', tag: 'latest' }, { layers: layers.slice(0, 1) });
    const first = await rkt(insecure, 'fetch', 'docker://kept');
    const asked = await requestsOf(async () => {
      expect(await rkt('fetch', 'docker://kept')).toEqual({ ...first, stderr: '' });
    });
    expect(asked).toEqual(['HEAD /v2/library/kept/manifests/latest']);
    await registry.putImage({ repository: 'library/kept', tag: 'latest' }, { layers });
    const { status, stdout, stderr } = await rkt('fetch', 'docker://kept');
    expect([status, stdout]).toEqual([254, '']);
    expect(stderr).toContain('(try --insecure-options=image)');
    expect((await rkt('fetch', '--pull-policy=new', 'docker://kept')).stdout).toBe(first.stdout);
  });

  it('by digest never asks twice', async () => {
    const { manifest } = await registry.putImage({ repository: 'library/pinned' }, { layers });
    const image = `docker://pinned@${manifest.digest}`;
    const first = await rkt(insecure, 'fetch', image);
    expect(first.status).toBe(0);
    expect(
      await requestsOf(async () => expect((await rkt(insecure, 'fetch', image)).stdout).toBe(first.stdout)),
    ).toEqual([]);
  });

  it('prints one ID per image, in order', async () => {
    const { stdout } = await rkt(insecure, 'fetch', 'docker://demo', 'docker://demo');
    expect(stdout).toMatch(/^(sha512-[0-9a-f]{32}\n){2}$/);
  });

  it('goes on when one of several fails, and says so in the end', async () => {
    const { status, stdout, stderr } = await rkt(
      insecure,
      'fetch',
      '--quiet',
      'nosuch',
      'docker://demo',
      'sha512-ffff',
    );
    expect(status).toBe(254);
    expect(stdout).toMatch(/^sha512-[0-9a-f]{32}\n$/);
    expect(stderr.match(/^fetch: .*$/gm)).toEqual([
      'fetch: no image "nosuch" in the store',
      expect.stringContaining('sha512-ffff'),
    ]);
  });

  it.each([
    ['docker://nosuch', /^fetch: .*nosuch/],
    ['docker://UPPER/Case', /^fetch: .*UPPER\/Case/],
    ['docker://', /^fetch: invalid docker URL/],
    ['https://example.com/x.aci', /^fetch: https:\/\/example\.com: the host name is unknown\n/],
    ['demo', /^fetch: no image "demo" in the store\nhint: for a Docker image write docker:\/\/demo\n$/],
    [
      '127.0.0.1:5055/x',
      /^fetch: no image "127.0.0.1:5055\/x" in the store\nhint: for a Docker image write docker:\/\/127.0.0.1:5055\/x\n$/,
    ],
    ['localhost:5000/a/b:1', /\nhint: for a Docker image write docker:\/\/localhost:5000\/a\/b:1\n$/],
    ['quay.io/foo/bar:tag', /\nhint: for a Docker image write docker:\/\/quay.io\/foo\/bar:tag\n$/],
    [
      `redis@sha256:${'0'.repeat(64)}`,
      new RegExp(`\nhint: for a Docker image write docker://redis@sha256:${'0'.repeat(64)}\n$`),
    ],
    ['https://quay.io/foo/bar', /\nhint: for a Docker image write docker:\/\/quay.io\/foo\/bar\n$/],
    ['sha512-xyz', /^fetch: .*an image id is sha512- and lower-case hex digits\n$/],
    ['oci:', /^fetch: [^\n]*\n$/],
    ['sha512-0', /^fetch: image ID too short: "sha512-0"/],
    ['sha512-00', /^fetch: .*sha512-00/],
  ])('of %s fails with a line and leaves nothing', async (image, text) => {
    configure('registries.d/mirror.json', {
      rktKind: 'registryMirrors',
      rktVersion: 'v1',
      registries: [],
    });
    const name = image === 'docker://nosuch' ? `docker://${registry.domain}/nosuch` : image;
    const { status, stdout, stderr } = await rkt(insecure, 'fetch', name);
    const said = stderr.replace(/^rkt: .*\n/gm, '');
    expect([status, stdout]).toEqual([254, '']);
    expect(said).toMatch(text);
    expect((await rkt('image', 'list', '--no-legend')).stdout).toBe('');
  });

  it('of a name says what is wrong with the store, and not that the image is not there', async () => {
    const broken = rktWith(dir, {
      openStore: async (...args) => ({
        ...(await installedLibraries.openStore(...args)),
        resolveImage: () => Promise.reject(new StoreError('ERR_RKT_STORE_IO', 'the disk does not answer')),
      }),
    });
    const { status, stderr } = await broken(insecure, 'fetch', 'demo');
    expect([status, stderr]).toEqual([254, expect.stringContaining('fetch: the disk does not answer')]);
    expect(stderr).not.toContain('no image');
  });

  it('of a damaged layer leaves no image and no leftovers', async () => {
    const damaged = { ...layerOf('etc/x', 'x'), diffId: `sha256:${'00'.repeat(32)}` };
    await registry.putImage({ repository: 'damaged', tag: 'latest' }, { layers: [damaged] });
    const { status, stderr } = await rkt(insecure, 'fetch', `docker://${registry.domain}/damaged`);
    expect([status, stderr.split('\n').length]).toEqual([254, 5]);
    expect(stderr).toContain(`${'00'.repeat(32)}`);
    expect((await rkt('image', 'list', '--no-legend')).stdout).toBe('');
    expect(readdirSync(join(dir, 'data', 'cas', 'tmp'))).toEqual([]);
  });

  it('of an image of schema 1 warns, and gives the ID that its digest always gives', async () => {
    const [base, top] = layers.map(({ content }) => content);
    const steps = [{ content: base ?? Buffer.alloc(0) }, {}, { content: top ?? Buffer.alloc(0) }];
    const put = () => registry.putSchema1Image({ repository: 'old', tag: 'latest' }, { steps });
    const { manifest } = await put();
    const name = `docker://${registry.domain}/old`;
    const first = await rkt(insecure, 'fetch', '--full', name);
    expect([first.status, first.stderr.match(/^.*schema 1.*$/gm)]).toEqual([
      0,
      [
        `fetch: warning: "${registry.domain}/old:latest" is a Docker schema 1 image, a format of before 2017, whose layers are read twice: ask its publisher to push it again`,
      ],
    ]);
    expect(first.stderr.match(/^(Reading|Downloading)/gm)).toEqual([
      ...Array(2).fill('Reading'),
      ...Array(2).fill('Downloading'),
    ]);
    // Signed again by another key, it has not changed.
    await put();
    const asked = await requestsOf(async () => {
      expect(await rkt(insecure, 'fetch', '--full', name)).toEqual({ ...first, stderr: '' });
    });
    expect(asked).toEqual(['HEAD /v2/old/manifests/latest', 'GET /v2/old/manifests/latest']);
    const pinned = await rkt(insecure, 'fetch', '--full', `${name}@${manifest.digest}`);
    expect(pinned.stdout).toBe(first.stdout);
    const history = await rkt('image', 'cat-manifest', first.stdout.trim());
    expect(history.stdout).toContain(manifest.digest);
  });

  it.each([
    ['a layer that is missing', 'missing', /not found/],
    ['a layer that is no tar', 'text', /neither a tar nor compressed/],
    ['a bomb', 'bomb', /expands to more than/],
  ] as const)('of an image of schema 1 with %s leaves nothing', async (_name, repository, text) => {
    const content = { missing: Buffer.alloc(9), text: Buffer.from('text'), bomb: gzipSync(Buffer.alloc(80 << 20)) };
    const steps = [{ content: layers[0]?.content ?? Buffer.alloc(0) }, { content: content[repository] }];
    await registry.putSchema1Image({ repository, tag: 'latest' }, { steps });
    if (repository === 'missing')
      registry.fail({
        path: createHash('sha256').update(content.missing).digest('hex'),
        action: { kind: 'status', status: 404 },
      });
    const { status, stdout, stderr } = await rkt(insecure, 'fetch', `docker://${registry.domain}/${repository}`);
    expect([status, stdout]).toEqual([254, '']);
    expect(stderr).toMatch(text);
    expect((await rkt('image', 'list', '--no-legend')).stdout).toBe('');
    expect(readdirSync(join(dir, 'data', 'cas', 'tmp'))).toEqual([]);
  });

  it('with a broken configuration says which file', async () => {
    configure('auth.d/broken.json', '{');
    const { status, stderr } = await rkt(insecure, 'fetch', 'docker://demo');
    expect([status, stderr]).toEqual([254, expect.stringMatching(/auth\.d\/broken\.json": it is not valid JSON/)]);
  });

  it('that is interrupted ends as the signal would have ended it, and leaves nothing', async () => {
    const io = fakeIo();
    const fetching = rkt.within(io, insecure, '--debug', 'fetch', 'docker://slow');
    await registry.putImage({ repository: 'library/slow', tag: 'latest' }, { layers });
    while (!io.written.stderr.includes('fetching image')) await new Promise((resolve) => setImmediate(resolve));
    io.send('SIGINT');
    const { status, stdout, stderr } = await fetching;
    expect([status, stdout, io.endsBy]).toEqual([130, '', 'SIGINT']);
    expect(stderr).toContain('fetch: interrupted by SIGINT\n');
    expect((await rkt('image', 'list', '--no-legend')).stdout).toBe('');
  });
});

describe('fetch, in the form that is asked for', () => {
  it.each([['-q'], ['--quiet']])('with %s prints the ID and nothing else', async (flag) => {
    const { stdout, ...rest } = await rkt(insecure, 'fetch', flag, 'docker://demo');
    expect([stdout, rest]).toEqual([expect.stringMatching(/^sha512-[0-9a-f]{32}\n$/), { status: 0, stderr: '' }]);
    expect(await rkt(insecure, 'fetch', flag, 'docker://demo')).toEqual({ stdout, ...rest });
  });

  it('with --quiet still says what is wrong', async () => {
    const { status, stderr } = await rkt(insecure, 'fetch', '-q', `docker://${registry.domain}/nosuch`);
    expect([status, stderr]).toEqual([254, expect.stringMatching(/^fetch: .*not found.*\nhint: .*\n$/)]);
  });

  const factsOf = (stderr: string): readonly Record<string, unknown>[] =>
    stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));

  it('with --progress=json tells every layer and the ID of the image, and nothing that is no JSON', async () => {
    const { status, stdout, stderr } = await rkt(insecure, 'fetch', '--full', '--progress=json', 'docker://demo');
    const facts = factsOf(stderr);
    expect(status).toBe(0);
    expect(facts.every(({ version, time }) => version === 1 && typeof time === 'string')).toBe(true);
    const types = facts.map(({ type }) => type);
    expect(types.slice(0, 3)).toEqual(['message', 'message', 'image:start']);
    expect(types.slice(-3)).toEqual(['image:hashing', 'image:done', 'image:stored']);
    expect(facts[2]).toMatchObject({
      reference: 'docker.io/library/demo:latest',
      layers: digests.map((hex) => ({ digest: `sha256:${hex}`, size: expect.any(Number) })),
    });
    for (const hex of digests) {
      const own = facts.filter(({ digest }) => digest === `sha256:${hex}`).map(({ type }) => type);
      expect(own).toEqual(['layer:start', 'layer:bytes', 'layer:verify', 'layer:done']);
    }
    expect(facts.at(-1)).toMatchObject({ image: 'docker://demo', id: stdout.trim() });
    // Nothing has to come, and the ID is told all the same.
    const again = await rkt(insecure, 'fetch', '--progress=json', 'docker://demo');
    expect(factsOf(again.stderr)).toMatchObject([{ type: 'image:stored', id: stdout.trim() }]);
  });

  it('with --progress=json is an error that is an object, too', async () => {
    const { status, stderr } = await rkt('fetch', '--progress=json', 'docker://demo');
    expect([status, factsOf(stderr)]).toMatchObject([
      254,
      [{ version: 1, type: 'error', command: 'fetch', code: 'ERR_RKT_CLI_SIGNATURE_REQUIRED' }],
    ]);
  });
});

describe('images of the store', () => {
  let id: string;
  beforeEach(async () => {
    id = (await rkt(insecure, 'fetch', '--full', '--quiet', 'docker://demo')).stdout.trim();
  });

  it('are listed, with the fields, in the order and form asked for', async () => {
    const record = { id, name: 'docker.io/library/demo:latest', size: expect.any(Number) };
    expect(JSON.parse((await rkt('image', 'list', '--format=json')).stdout)).toMatchObject([record]);
    expect((await rkt('image', 'list', '--fields=name,id', '--no-legend')).stdout).toBe(
      `demo:latest\t${id.slice(0, 19)}\n`,
    );
    expect((await rkt('image', 'list', '--fields=id', '--full')).stdout).toBe(`ID\n${id}\n`);
    await registry.putImage({ repository: 'library/aaa', tag: 'latest' }, { layers: layers.slice(1) });
    await rkt(insecure, 'fetch', 'docker://aaa');
    const names = async (...flags: readonly string[]) =>
      (await rkt('image', 'list', '--fields=name', '--no-legend', '--sort=name', ...flags)).stdout.match(/aaa|demo/g);
    expect(await names()).toEqual(['aaa', 'demo']);
    expect(await names('--order=desc')).toEqual(['demo', 'aaa']);
    expect((await rkt('image', 'list', '--fields=foo')).stderr).toContain('unknown option "foo"');
  });

  it('are found by ID, prefix, reference and name', async () => {
    for (const name of [
      id,
      id.slice(0, 12),
      'docker://demo',
      'docker.io/library/demo:latest',
      'registry-1.docker.io/library/demo',
      'demo',
    ]) {
      const { status, stdout } = await rkt('image', 'cat-manifest', name);
      expect([status, name, JSON.parse(stdout)['acKind']]).toEqual([0, name, 'ImageManifest']);
    }
    expect((await rkt('image', 'cat-manifest', 'docker://other')).status).toBe(254);
  });

  it('are exported to what their ID is the SHA-512 of, and not over a file', async () => {
    const file = join(dir, 'out.aci');
    expect((await rkt('image', 'export', 'demo', file)).status).toBe(0);
    const sum = (bytes: Buffer | string) => `sha512-${createHash('sha512').update(bytes).digest('hex')}`;
    expect(sum(readFileSync(file))).toBe(id);
    expect(await rkt('image', 'export', id, file)).toMatchObject({
      status: 254,
      stderr: 'export: output ACI file exists (try --overwrite)\n',
    });
    writeFileSync(file, 'old');
    expect((await rkt('image', 'export', '--overwrite', id, file)).status).toBe(0);
    expect(sum(readFileSync(file))).toBe(id);
    expect(sum(Buffer.from((await rkt('image', 'export', id, '-')).stdout, 'latin1'))).toBe(id);
    expect((await rkt('image', 'export', id, join(dir, 'none', 'x.aci'))).stderr).toContain(
      'no such file or directory',
    );
    expect((await rkt('image', 'export', id, join(dir, 'x.tar'))).stderr).toContain('must be .aci');
    expect(readdirSync(dir).filter((name) => name.includes('aci'))).toEqual(['out.aci']);
  });

  it('are verified, and the damage is told', async () => {
    expect(await rkt('image', 'verify')).toMatchObject({
      status: 0,
      stdout: `successfully verified checksum for image: "${id}"\n`,
    });
    const tars = readdirSync(join(dir, 'data/cas/layers'), { recursive: true, encoding: 'utf8' });
    const tar = join(dir, 'data/cas/layers', tars.find((name) => name.endsWith('.tar')) ?? '');
    const bytes = readFileSync(tar);
    bytes.writeUInt8(bytes.readUInt8(512) ^ 1, 512);
    rmSync(tar);
    writeFileSync(tar, bytes);
    const { status, stderr } = await rkt('image', 'verify', 'demo');
    expect([status, stderr]).toEqual([254, expect.stringMatching(/^verify: (layer|image) .* is corrupt/)]);
  });

  it('are removed, and what is not there is an error', async () => {
    const { status, stdout, stderr } = await rkt(
      'image',
      'rm',
      id.slice(0, 20),
      'docker://demo',
      'demo:latest',
      'other',
    );
    expect([status, stdout]).toEqual([254, `successfully removed aci for image: "${id}"\n`]);
    expect(stderr.replace(/[\d.]+KiB/, 'N')).toBe(
      [
        'rm: no image found for other',
        "hint: run 'rkt image list' to see what the store has",
        'rm: it was called docker.io/library/demo:latest',
        'rm: 1 image(s) successfully removed',
        'rm: N freed\n',
      ].join('\n'),
    );
    expect((await rkt('image', 'rm', id)).status).toBe(254);
    expect((await rkt(insecure, 'fetch', '--pull-policy=new', 'docker://demo')).stderr).toContain('Downloading layer');
  });

  it('are collected when nobody used them for the grace period', async () => {
    expect(await rkt('image', 'gc')).toEqual({ status: 0, stdout: '', stderr: '' });
    const { stdout, stderr } = await rkt('image', 'gc', '--grace-period=0s');
    expect(stdout).toBe(`successfully removed aci for image: "${id}"\n`);
    expect(stderr).toMatch(
      /^gc: it was called docker\.io\/library\/demo:latest\ngc: 1 image\(s\) successfully removed\ngc: .* freed\n$/,
    );
  });

  it('are collected when the store is larger than it shall be', async () => {
    expect(await rkt('image', 'gc', '--max-size=1M')).toEqual({ status: 0, stdout: '', stderr: '' });
    expect((await rkt('image', 'gc', '--max-size=1KiB')).stdout).toBe(`successfully removed aci for image: "${id}"\n`);
    expect((await rkt('image', 'gc', '--max-size=-1')).stderr).toContain('it must be a size such as "500M"');
  });

  it('are listed once for every name that leads to them, as it would be typed', async () => {
    const local = `${registry.domain}/library/demo`;
    await rkt(insecure, 'fetch', `docker://${local}:latest`);
    await registry.putImage(
      { repository: 'library/demo', tag: 'other' },
      { layers, config: { Entrypoint: ['/etc/one'], Cmd: ['a'] } },
    );
    await rkt(insecure, 'fetch', 'docker://demo:other');
    const rows = (await rkt('image', 'list', '--no-legend', '--fields=name,id', '--sort=name')).stdout
      .trimEnd()
      .split('\n');
    expect(rows.map((row) => row.split(/\t+/)[0])).toEqual([`${local}:latest`, 'demo:latest', 'demo:other']);
    const listed: readonly { readonly names: readonly string[] }[] = JSON.parse(
      (await rkt('image', 'list', '--format=json')).stdout,
    );
    expect(listed.map(({ names }) => names)).toEqual([
      ['docker.io/library/demo:latest', 'docker.io/library/demo:other'],
      [`${local}:latest`],
    ]);
    expect((await rkt('image', 'cat-manifest', local)).status).toBe(0);
    const shown = ['image', 'list', '--no-legend', '--fields=name', '--sort=name'];
    for (const [typed, names] of [
      [['demo'], ['demo:latest', 'demo:other']],
      [['docker.io/library/demo:other'], ['demo:other']],
      [
        [local, 'demo:latest', 'nosuch'],
        [`${local}:latest`, 'demo:latest'],
      ],
      [['dem'], []],
    ] as const) {
      expect((await rkt(...shown, ...typed)).stdout, `${typed}`).toBe(names.map((name) => `${name}\n`).join(''));
    }
    expect((await rkt('images', '-q', local)).stdout.trim().split('\n')).toHaveLength(1);
    expect(JSON.parse((await rkt('images', '--format=json', 'demo:other')).stdout)).toEqual([listed[0]]);
  });

  it('lose a name to another image, and are then listed without a tag', async () => {
    await registry.putImage({ repository: 'library/moved', tag: 'latest' }, { layers: layers.slice(0, 1) });
    await rkt(insecure, 'fetch', 'docker://moved');
    await registry.putImage({ repository: 'library/moved', tag: 'latest' }, { layers: layers.slice(1) });
    await rkt(insecure, 'fetch', 'docker://moved');
    expect((await rkt('image', 'list', '--no-legend', '--fields=name')).stdout.split('\n').slice(1)).toEqual([
      'moved:<none>',
      'moved:latest',
      '',
    ]);
  });
});

describe('a data directory', () => {
  it('comes from the configuration unless --dir names another', async () => {
    configure('paths.d/p.json', { rktKind: 'paths', rktVersion: 'v1', data: join(dir, 'configured') });
    const io = fakeIo();
    const { main } = await import('../../src/main.ts');
    const config = [`--local-config=${dir}/etc`, '--system-config='];
    expect(await main([...config, insecure, 'fetch', 'docker://demo'], io)).toBe(0);
    expect(existsSync(join(dir, 'configured', 'cas'))).toBe(true);
  });

  it('that is not there is not made by commands that work on what is there', async () => {
    const missing = join(dir, 'mistyped');
    const note = `: data directory "${missing}" does not exist\n`;
    for (const command of [
      ['image', 'list', '--no-legend'],
      ['image', 'gc'],
      ['image', 'verify'],
    ]) {
      const stderr = `${command[1]}${note}`;
      expect(await rkt(`--dir=${missing}`, ...command)).toEqual({ status: 0, stdout: '', stderr });
    }
    for (const command of ['cat-manifest', 'inspect', 'history', 'rm']) {
      const { status, stderr } = await rkt(`--dir=${missing}`, 'image', command, 'demo');
      expect([status, stderr]).toEqual([
        254,
        expect.stringContaining(`no image found for "demo": "${missing}" has no images`),
      ]);
    }
    for (const command of [
      ['list'],
      ['status', '5bc080ca'],
      ['cat-manifest', '5bc080ca'],
      ['gc'],
      ['rm', '5bc080ca'],
    ]) {
      await rkt(`--dir=${missing}`, ...command);
    }
    expect(existsSync(missing)).toBe(false);
  });

  it('that is no directory is an error of one line', async () => {
    const { status, stderr } = await rkt('--dir=/etc/passwd', 'image', 'list');
    expect([status, stderr]).toEqual([254, expect.stringMatching(/^list: .*\/etc\/passwd/)]);
  });
});
