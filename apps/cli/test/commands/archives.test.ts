// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { startTestRegistry } from '@rkt/registry/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeIo } from '../support/fake-io.ts';
import { type Rkt, rktWith } from '../support/run-rkt.ts';
import { layerOf, tarOf } from '../support/tar.ts';

const END_BYTES = 1024;
const insecure = '--insecure-options=image';
let dir: string;
let file: string;
let rkt: Rkt;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-cli-archives-'));
  file = join(dir, 'demo.tar');
  writeFileSync(file, savedImage('example.org/demo:v1'));
  rkt = rktWith(dir);
});
afterEach(() => rmSync(dir, { recursive: true }));

/** What `docker save` writes of an image with one layer, once for each name. */
function savedImage(...tags: readonly string[]): Buffer {
  return archiveOf(
    '/etc/one',
    (tags.length === 0 ? [[]] : tags.map((tag) => [tag])).map((RepoTags) => ({ RepoTags })),
  );
}

/** The same with what else `manifest.json` is to say. */
function archiveOf(entrypoint: string, entries: readonly object[]): Buffer {
  const { diffId } = layerOf('etc/one', 'one\n');
  const config = {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Entrypoint: [entrypoint] },
    rootfs: { type: 'layers', diff_ids: [diffId] },
  };
  const members: readonly (readonly [string, string])[] = [
    ['layer.tar', tarOf('etc/one', 'one\n').toString('latin1')],
    ['config.json', JSON.stringify(config)],
    [
      'manifest.json',
      JSON.stringify(entries.map((entry) => ({ Config: 'config.json', Layers: ['layer.tar'], ...entry }))),
    ],
  ];
  const parts = members.map(([name, content]) => tarOf(name, content).subarray(0, -END_BYTES));
  return Buffer.concat([...parts, Buffer.alloc(END_BYTES)]);
}

describe('an archive that docker saved', () => {
  it('is imported under the name it gives to the image', async () => {
    const { status, stdout, stderr } = await rkt(
      insecure,
      'fetch',
      '--progress=none',
      `docker-archive:${file}:example.org/demo:v1`,
    );
    expect([status, stderr]).toEqual([
      0,
      `rkt: importing image from docker-archive:${file}:example.org/demo:v1\nrkt: imported image as example.org/demo:v1\n`,
    ]);
    expect(stdout).toMatch(/^sha512-[0-9a-f]{32}\n$/);
    expect((await rkt('image', 'list', '--no-legend', '--fields=name')).stdout).toBe('example.org/demo:v1\n');
  });

  it('with one image alone needs no name: it has the image by its own', async () => {
    const { status, stderr } = await rkt(insecure, 'fetch', `docker-archive:${file}`);
    expect([status, stderr.match(/^\w+ layer: [0-9a-f]{64}$/gm)]).toEqual([0, [expect.stringMatching(/^Copying /)]]);
    expect((await rkt('image', 'list', '--no-legend', '--fields=name')).stdout).toBe('example.org/demo:v1\n');
  });

  it('takes the name of an image from a registry, as the list says, and leaves docker:// to the registry', async () => {
    await using registry = await startTestRegistry();
    await registry.putImage({ repository: 'demo', tag: 'latest' }, { layers: [layerOf('etc/two', 'two\n')] });
    const name = `${registry.domain}/demo:latest`;
    const fetched = (await rkt(insecure, 'fetch', '--full', '--progress=none', `docker://${name}`)).stdout.trim();
    writeFileSync(file, savedImage(name));
    const imported = (
      await rkt(insecure, 'fetch', '--full', '--progress=none', `docker-archive:${file}`)
    ).stdout.trim();
    expect((await rkt('image', 'list', '--no-legend', '--full', '--fields=id,name')).stdout).toContain(
      `${imported}\t${name}\n`,
    );
    const idOf = async (image: string): Promise<string> =>
      JSON.parse((await rkt('image', 'inspect', image)).stdout)[0].id;
    for (const [image, id] of [
      [name, imported],
      [`${registry.domain}/demo`, imported],
      [`docker://${name}`, fetched],
      [`docker:${name}`, fetched],
    ] as const) {
      expect(await idOf(image), image).toBe(id);
      expect((await rkt('fetch', '--full', '--pull-policy=never', image)).stdout, image).toBe(`${id}\n`);
    }
  });

  it('has an image without a name by that of the file', async () => {
    writeFileSync(file, savedImage());
    expect(await rkt(insecure, 'fetch', `docker-archive:${file}`)).toMatchObject({ status: 0 });
    expect((await rkt('image', 'list', '--no-legend', '--fields=name')).stdout).toBe('localhost/demo:latest\n');
  });

  it('says when the name was that of another image', async () => {
    const { stdout } = await rkt(insecure, 'fetch', '--progress=none', `docker-archive:${file}`);
    writeFileSync(file, archiveOf('/etc/two', [{ RepoTags: ['example.org/demo:v1'] }]));
    const { stderr } = await rkt(insecure, 'fetch', `docker-archive:${file}`);
    expect(stderr).toContain(
      `rkt: imported image as example.org/demo:v1\nrkt: warning: "example.org/demo:v1" was ${stdout.slice(0, 19)} until now\n`,
    );
    const again = await rkt(insecure, 'fetch', '--quiet', `docker-archive:${file}`);
    expect(again.stderr).toBe('');
  });

  it('cannot give its image the name of another by claiming to be from there', async () => {
    const annotations = {
      'io.appc.origin.repository': 'docker.io/library/redis',
      'io.appc.origin.manifest': `sha256:${'7'.repeat(64)}`,
    };
    writeFileSync(file, archiveOf('/etc/one', [{ RepoTags: ['example.org/demo:v1'], annotations }]));
    for (const selector of ['', ':example.org/demo:v1']) {
      expect(await rkt(insecure, 'fetch', `docker-archive:${file}${selector}`)).toMatchObject({ status: 0 });
    }
    writeFileSync(file, archiveOf('/etc/one', [{ RepoTags: [], annotations }]));
    expect(await rkt(insecure, 'fetch', `docker-archive:${file}`)).toMatchObject({ status: 0 });
    expect((await rkt('image', 'list', '--no-legend', '--fields=name')).stdout).toBe(
      'example.org/demo:v1\nlocalhost/demo:latest\n',
    );
  });

  it('with several images wants to be told which', async () => {
    writeFileSync(file, savedImage('example.org/demo:v1', 'example.org/demo:v2'));
    expect(await rkt(insecure, 'fetch', `docker-archive:${file}`)).toMatchObject({
      status: 254,
      stderr: expect.stringContaining(
        `fetch: "${file}" has several images: "example.org/demo:v1", "example.org/demo:v2"\n` +
          `hint: choose one: docker-archive:${file}:NAME:TAG\n`,
      ),
    });
    expect(await rkt(insecure, 'fetch', `docker-archive:${file}:example.org/demo:v2`)).toMatchObject({ status: 0 });
  });

  it('gives an image every name that it has for it', async () => {
    writeFileSync(file, archiveOf('/etc/one', [{ RepoTags: ['example.org/demo:v1', 'demo:stable'] }]));
    const { stderr } = await rkt(insecure, 'fetch', '--progress=none', `docker-archive:${file}`);
    expect(stderr).toContain(
      'rkt: imported image as example.org/demo:v1\nrkt: imported image as docker.io/library/demo:stable\n',
    );
    const [record] = JSON.parse((await rkt('image', 'list', '--format=json')).stdout);
    expect(record).toMatchObject({
      name: 'example.org/demo:v1',
      names: expect.arrayContaining(['example.org/demo:v1', 'docker.io/library/demo:stable']),
    });
    const asked = await rkt(insecure, 'fetch', '--progress=none', `docker-archive:${file}:demo:stable`);
    expect(asked.stderr.match(/imported image as .*/g)).toEqual(['imported image as docker.io/library/demo:stable']);
  });

  it('is not guessed by another name than it has', async () => {
    const { status, stderr } = await rkt(insecure, 'fetch', `docker-archive:${file}:redis`);
    expect([status, stderr]).toEqual([254, expect.stringContaining('has no image "docker.io/library/redis:latest"')]);
    writeFileSync(file, savedImage());
    const named = await rkt(insecure, 'fetch', '--progress=none', `docker-archive:${file}:mine:1`);
    expect(named.stderr).toContain('imported image as docker.io/library/mine:1\n');
  });

  it('that is not there is said so in words', async () => {
    const { status, stderr } = await rkt(insecure, 'fetch', `docker-archive:${dir}/none.tar`);
    expect([status, stderr]).toEqual([
      254,
      expect.stringContaining(`cannot read ${dir}/none.tar: no such file or dir`),
    ]);
  });

  it.each<[string, (file: Buffer) => Buffer]>([
    ['plain', (bytes) => bytes],
    ['gzip', (bytes) => gzipSync(bytes)],
    ['zstd', (bytes) => zstdCompressSync(bytes)],
  ])('comes through a pipe or in a file (%s)', async (_name, pack) => {
    const packed = pack(savedImage('example.org/demo:v1'));
    writeFileSync(file, packed);
    const fromFile = await rkt(insecure, 'fetch', '--progress=none', `docker-archive:${file}`);
    const io = fakeIo({ stdin: [packed.subarray(0, 100), packed.subarray(100)] });
    const piped = await rkt.within(io, insecure, 'fetch', '--progress=none', 'docker-archive:-');
    expect([fromFile.status, piped.status, piped.stdout]).toEqual([0, 0, fromFile.stdout]);
    expect(readdirSync(join(dir, 'data/cas/tmp'))).toEqual([]);
  });

  it('comes through a pipe that has a name', async () => {
    const pipe = join(dir, 'pipe.tar');
    execFileSync('mkfifo', [pipe]);
    const writer = spawn('cp', [file, pipe]);
    const { status, stderr } = await rkt(insecure, 'fetch', `docker-archive:${pipe}`);
    writer.kill();
    expect([status, stderr]).toEqual([0, expect.stringContaining('imported image as example.org/demo:v1')]);
  });

  it('through a pipe is called standard input, and nothing of it is left', async () => {
    const text = Buffer.from('no archive'.repeat(100));
    const { status, stderr } = await rkt.within(fakeIo({ stdin: [text] }), insecure, 'fetch', 'docker-archive:-');
    expect([status, stderr]).toEqual([
      254,
      expect.stringContaining('cannot use archive "standard input": it is neither'),
    ]);
    const other = fakeIo({ stdin: [savedImage('example.org/demo:v1')] });
    const { stderr: why } = await rkt.within(other, insecure, 'fetch', 'docker-archive:-:example.org/demo:v2');
    expect(why).toContain('"standard input" has no image "example.org/demo:v2"');
    expect(readdirSync(join(dir, 'data/cas/tmp'))).toEqual([]);
    const { stderr: refused } = await rkt.within(fakeIo({ tty: true }), insecure, 'fetch', 'docker-archive:-');
    expect(refused).toContain('fetch: standard input is a terminal: expected an archive\n');
  });

  it('is as unsigned as anything else', async () => {
    expect(await rkt('fetch', `docker-archive:${file}`)).toEqual({
      status: 254,
      stdout: '',
      stderr: 'fetch: signature verification for docker images is not supported (try --insecure-options=image)\n',
    });
  });

  it.each([
    [':example.org/demo:v2', 'has no image "example.org/demo:v2": it has "example.org/demo:v1"'],
    [':A B', '"A B" is no reference'],
  ])('is asked for %j, which it has not', async (selector, message) => {
    const { status, stdout, stderr } = await rkt(insecure, 'fetch', `docker-archive:${file}${selector}`);
    expect([status, stdout]).toEqual([254, '']);
    expect(stderr).toContain(message);
  });

  it('that is none is refused', async () => {
    writeFileSync(file, 'no archive\n'.repeat(200));
    const { status, stderr } = await rkt(insecure, 'fetch', `docker-archive:${file}`);
    expect([status, stderr.split('\n').length]).toEqual([254, 3]);
    expect(stderr).toContain(`fetch: cannot use archive "${file}": it is neither a tar nor compressed`);
    writeFileSync(file, Buffer.from('\xfd7zXZ\0', 'latin1'));
    expect((await rkt(insecure, 'fetch', `docker-archive:${file}`)).stderr).toContain('it is compressed with xz');
  });
});

describe('an OCI archive', () => {
  const golden = fileURLToPath(new URL('../../../../packages/docker2aci/test/golden/quirks.oci.tar', import.meta.url));

  it('is imported under the name of the file and the tag it gives to the image', async () => {
    for (const selector of ['', ':latest']) {
      expect(await rkt(insecure, 'fetch', `oci-archive:${golden}${selector}`)).toMatchObject({ status: 0 });
    }
    expect((await rkt('image', 'list', '--no-legend', '--fields=name')).stdout).toBe('localhost/quirks:latest\n');
  });

  it('is asked for a tag it has not', async () => {
    const { status, stderr } = await rkt(insecure, 'fetch', `oci-archive:${golden}:v2`);
    expect([status, stderr]).toEqual([254, expect.stringContaining('has no image "v2": it has "latest"')]);
  });

  it('has the names that skopeo, podman and containerd give, and images are chosen by them', async () => {
    const layout = join(dir, 'layout');
    mkdirSync(layout);
    execFileSync('tar', ['-xf', golden, '-C', layout]);
    const index = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'));
    const [{ annotations: _, ...entry }] = index.manifests;
    const named = (...names: readonly (readonly [string, string])[]): void => {
      const manifests = names.map(([key, name]) => ({ ...entry, annotations: { [key]: name } }));
      writeFileSync(join(layout, 'index.json'), JSON.stringify({ ...index, manifests }));
    };
    const importedAs = async (selector: string): Promise<readonly string[] | string> => {
      const { status, stderr } = await rkt(insecure, 'fetch', '--progress=none', `oci:${layout}${selector}`);
      return status === 0 ? [...stderr.matchAll(/imported image as (.*)/g)].map(([, name = '']) => name) : stderr;
    };
    const [skopeo, containerd] = ['org.opencontainers.image.ref.name', 'io.containerd.image.name'];
    const alpine = 'docker.io/library/alpine:3.20';
    named([skopeo, alpine]);
    for (const selector of ['', `:${alpine}`, ':alpine:3.20', ':3.20', `@${entry.digest}`]) {
      expect(await importedAs(selector), selector).toEqual([alpine]);
    }
    named([skopeo, 'alpine:3.20'], [containerd, 'example.org/a:1'], [skopeo, '1']);
    expect(await importedAs('')).toEqual([alpine, 'example.org/a:1']);
    expect(await importedAs(':example.org/a:1')).toEqual(['example.org/a:1']);
    const other = { ...entry, digest: `sha256:${'7'.repeat(64)}` };
    writeFileSync(join(layout, 'index.json'), JSON.stringify({ ...index, manifests: [entry, other] }));
    expect(await importedAs('')).toBe(
      `rkt: importing image from oci:${layout}\nfetch: "${layout}" has several images: @${entry.digest}, @${other.digest}\n` +
        `hint: choose one: oci:${layout}:NAME or oci:${layout}@DIGEST\n`,
    );
  });

  it('is not what docker saved', async () => {
    const { status, stderr } = await rkt(insecure, 'fetch', `oci-archive:${file}`);
    expect([status, stderr]).toEqual([254, expect.stringContaining('has no file "oci-layout"')]);
  });
});
