// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  promises,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { TestRegistry } from '@rkt/registry/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { demoRegistry } from '../support/demo-registry.ts';
import { fakeIo } from '../support/fake-io.ts';
import { type Rkt, rktWith } from '../support/run-rkt.ts';
import { layerOf } from '../support/tar.ts';

const insecure = '--insecure-options=image';
let registry: TestRegistry;
let dir: string;
let rkt: Rkt;
let id: string;

beforeAll(async () => {
  registry = await demoRegistry();
});
afterAll(() => registry.close());

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-cli-files-'));
  rkt = rktWith(dir);
  const fetched = await rkt(insecure, 'fetch', '--full', '--quiet', `docker://${registry.domain}/team/demo:v1`);
  expect(fetched.status, fetched.stderr).toBe(0);
  id = fetched.stdout.trim();
});
afterEach(() => rmSync(dir, { recursive: true }));

/** Fetches from a file into a store of its own. */
async function fetchedElsewhere(image: string): Promise<readonly string[]> {
  const other = mkdtempSync(join(dir, 'other-'));
  const elsewhere = rktWith(other);
  const { stdout, stderr, status } = await elsewhere(insecure, 'fetch', '--full', '--progress=none', image);
  expect([status, stderr]).toEqual([0, expect.stringContaining('importing')]);
  const { stdout: name } = await elsewhere('image', 'list', '--no-legend', '--fields=name');
  return [stdout.trim(), name.trim()];
}

describe('image export', () => {
  it.each([
    ['oci:', 'layout', ':v1'],
    ['docker-archive:', 'demo.tar', ''],
  ])('to %s gives what fetch reads again as the same image under the same name', async (scheme, name, tag) => {
    const path = join(dir, name);
    expect(await rkt('image', 'export', id, `${scheme}${path}`)).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(await fetchedElsewhere(`${scheme}${path}${tag}`)).toEqual([id, `${registry.domain}/team/demo:v1`]);
    expect((await rkt('image', 'export', id, `${scheme}${path}`)).stderr).toContain('exists (try --overwrite)');
    expect((await rkt('image', 'export', '--overwrite', id, `${scheme}${path}`)).status).toBe(0);
    expect(
      readdirSync(dir)
        .filter((each) => !each.startsWith('other-'))
        .toSorted(),
    ).toEqual(['data', name].toSorted());
  });

  it('to oci: hands out no file that shares blocks before it is known to be right', async () => {
    const cloned: string[] = [];
    const clone = promises.copyFile;
    // Not every file system can share blocks: here each can, and the first file comes out wrong.
    promises.copyFile = async (source, path) => {
      const bytes = readFileSync(source);
      if (cloned.length === 0) bytes.fill(0xff, 0, 1);
      writeFileSync(path, bytes, { flag: 'wx', mode: 0o600 });
      cloned.push(String(path));
    };
    syncBuiltinESMExports();
    try {
      expect(await rkt('image', 'export', id, `oci:${dir}/layout`)).toEqual({ status: 0, stdout: '', stderr: '' });
    } finally {
      promises.copyFile = clone;
      syncBuiltinESMExports();
    }
    expect(cloned).toHaveLength(2);
    for (const path of cloned.map((each) => each.replace(/^.*blobs/, `${dir}/layout/blobs`))) {
      expect(createHash('sha256').update(readFileSync(path)).digest('hex')).toBe(basename(path));
      expect(statSync(path).mode & 0o777).toBe(0o644);
    }
  });

  it('to oci-archive: is an archive of the same layout', async () => {
    const [layout, archive] = [join(dir, 'layout'), join(dir, 'layout.tar')];
    await rkt('image', 'export', id, `oci:${layout}:x`);
    expect((await rkt('image', 'export', id, `oci-archive:${archive}:x`)).status).toBe(0);
    const bytes = readFileSync(archive);
    for (const name of ['oci-layout', 'index.json'])
      expect(bytes.includes(readFileSync(join(layout, name)))).toBe(true);
    expect(JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')).manifests[0].annotations).toEqual({
      'io.containerd.image.name': `${registry.domain}/team/demo:x`,
      'org.opencontainers.image.ref.name': 'x',
    });
  });

  it.each(['-', 'docker-archive:-', 'oci-archive:-'])(
    'to %s goes to standard output, if that is no terminal',
    async (output) => {
      const file = join(dir, output === '-' ? 'demo.aci' : 'demo.tar');
      const { status, stdout, stderr } = await rkt('image', 'export', id, output);
      expect([status, stderr]).toEqual([0, '']);
      expect((await rkt('image', 'export', id, output.replace(/-$/, file))).status).toBe(0);
      expect(stdout).toBe(readFileSync(file, 'latin1'));
      const terminal = fakeIo({ tty: true });
      const refused = await rkt.within(terminal, 'image', 'export', id, output);
      expect([refused.status, refused.stdout]).toEqual([254, '']);
      expect(refused.stderr).toContain('export: standard output is a terminal');
    },
  );

  it('has the name that was typed, of several', async () => {
    const name = `${registry.domain}/team/demo:v1`;
    const other = join(dir, 'other.tar');
    await rkt('image', 'export', id, `docker-archive:${other}:example.org/mine:v2`);
    const imported = (await rkt(insecure, 'fetch', '--full', '--quiet', `docker-archive:${other}`)).stdout.trim();
    for (const tag of ['demo:a', 'demo:b']) {
      // Renamed, and so the image it was imported as.
      await rkt('image', 'export', '--overwrite', imported, `docker-archive:${other}:example.org/mine:${tag.slice(5)}`);
      await rkt(insecure, 'fetch', '--quiet', `docker-archive:${other}`);
    }
    const exported = async (typed: string, target: string): Promise<readonly string[]> => {
      const file = join(dir, 'export');
      const { status, stderr } = await rkt('image', 'export', '--overwrite', typed, `${target}:${file}`);
      expect([status, stderr], typed).toEqual([0, '']);
      const elsewhere = rktWith(mkdtempSync(join(dir, 'other-')));
      const fetched = await elsewhere(insecure, 'fetch', '--quiet', `${target}:${file}`);
      expect(fetched.status, fetched.stderr).toBe(0);
      return (await elsewhere('image', 'list', '--no-legend', '--fields=name', '--sort=name')).stdout
        .trim()
        .split('\n');
    };
    for (const target of ['docker-archive', 'oci-archive']) {
      expect(await exported('example.org/mine:a', target)).toEqual(['example.org/mine:a']);
      expect(await exported(name, target)).toEqual([name]);
      expect(await exported(`docker://${name}`, target)).toEqual([name]);
      expect(await exported(`${registry.domain.replace(':', '_')}/team/demo:v1`, target)).toEqual([name]);
    }
    expect(await exported(imported, 'oci-archive')).toEqual(['example.org/mine:b']);
    expect(await exported(imported, 'docker-archive')).toEqual(
      ['a', 'b', 'v2'].map((tag) => `example.org/mine:${tag}`),
    );
  });

  it('says that an image that was fetched by digest has no name, unless it is given one', async () => {
    const [{ digest }] = JSON.parse((await rkt('image', 'inspect', id)).stdout);
    const elsewhere = rktWith(mkdtempSync(join(dir, 'other-')));
    const pinned = `${registry.domain}/team/demo@${digest}`;
    await elsewhere(insecure, 'fetch', '--quiet', `docker://${pinned}`);
    const repository = `${registry.domain}/team/demo`;
    for (const [target, given] of [
      ['oci-archive', ':v7'],
      ['oci-archive', `:${repository}:v7`],
      ['docker-archive', `:${repository}:v7`],
    ]) {
      const file = join(dir, 'pinned');
      const nameless = await elsewhere('image', 'export', '--overwrite', pinned, `${target}:${file}`);
      expect([nameless.status, nameless.stderr]).toEqual([
        0,
        `export: warning: image ${id.slice(0, 19)} has no tag, so the file has no name for it: give one after the path, for example :${repository}:TAG\n`,
      ]);
      const named = await elsewhere('image', 'export', '--overwrite', pinned, `${target}:${file}${given}`);
      expect([named.status, named.stderr]).toEqual([0, '']);
      expect(await fetchedElsewhere(`${target}:${file}`)).toEqual([id, `${repository}:v7`]);
    }
  });

  it('that has not been fetched is told so, without a flag that there is not', async () => {
    const { status, stderr } = await rkt('image', 'export', 'docker://nowhere', 'oci:x');
    expect([status, stderr]).toEqual([
      254,
      'export: no image "docker://nowhere" in the store\nhint: fetch it first: rkt fetch docker://nowhere\n',
    ]);
  });

  it('refuses to compress what is no ACI', async () => {
    const { status, stderr } = await rkt('image', 'export', '--compression=gzip', id, `oci:${join(dir, 'layout')}`);
    expect([status, stderr]).toEqual([254, expect.stringContaining('--compression is for ACIs')]);
    expect(existsSync(join(dir, 'layout'))).toBe(false);
  });

  it('under another name makes another image of it', async () => {
    const file = `docker-archive:${join(dir, 'demo.tar')}`;
    expect((await rkt('image', 'export', id, `${file}:example.org/mine:v2`)).status).toBe(0);
    const [other, name] = await fetchedElsewhere(`${file}:example.org/mine:v2`);
    expect([other === id, name]).toEqual([false, 'example.org/mine:v2']);
  });

  it.each([
    ['x.tar', 'must be .aci'],
    [`oci:x@sha256:${'7'.repeat(64)}`, 'not a digest'],
    ['oci:', 'needs a path'],
    ['docker-archive:x:A B', 'is no reference'],
    ['oci:/nowhere/at/all', 'cannot write "/nowhere/at/all": no such file or directory'],
  ])('to %s is refused', async (output, message) => {
    const { status, stderr } = await rkt('image', 'export', id, output);
    expect([status, stderr]).toEqual([254, expect.stringContaining(message)]);
  });
});

describe('of an image with a damaged layer', () => {
  const { diffId } = layerOf('etc/one', 'one\n');
  const told = `layer ${diffId} is damaged: its bytes hash to sha256:`;

  beforeEach(() => {
    const hex = diffId.slice('sha256:'.length);
    const tar = join(dir, 'data/cas/layers/sha256', hex.slice(0, 2), `${hex}.tar`);
    const bytes = readFileSync(tar);
    bytes[512] = (bytes[512] ?? 0) ^ 0x55;
    writeFileSync(tar, bytes);
  });

  it.each([
    ['export', 'oci:', 'layout'],
    ['export', 'oci-archive:', 'layout.tar'],
    ['export', 'docker-archive:', 'demo.tar'],
    ['extract', '', 'out'],
    ['render', '', 'out'],
  ])('%s to "%s" names the layer, says what to do, and leaves nothing', async (command, scheme, name) => {
    const { status, stderr } = await rkt('image', command, id, `${scheme}${join(dir, name)}`);
    expect([status, stderr]).toEqual([254, expect.stringContaining(`${command}: ${told}`)]);
    expect(stderr).toContain("\nhint: run 'rkt image verify'\n");
    expect(readdirSync(dir)).toEqual(['data']);
    expect(await rkt('image', 'verify')).toMatchObject({ status: 254, stderr: expect.stringContaining(diffId) });
  });

  it.each(['oci-archive:-', 'docker-archive:-'])('export to %s stops before the end of the layer', async (output) => {
    const { status, stdout, stderr } = await rkt('image', 'export', id, output);
    expect([status, stderr]).toEqual([254, expect.stringContaining(told)]);
    expect(stdout).not.toContain('etc/one\0');
  });
});

describe.each(['extract', 'render'])('image %s', (command) => {
  it('writes manifest and files, and not over a directory', async () => {
    const out = join(dir, 'out');
    expect(await rkt('image', command, id, out)).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(JSON.parse(readFileSync(join(out, 'manifest'), 'utf8')).acKind).toBe('ImageManifest');
    expect(readFileSync(join(out, 'rootfs/etc/two'), 'utf8')).toBe('two\n');
    expect(statSync(join(out, 'rootfs')).mode & 0o777).toBe(0o755);
    expect((await rkt('image', command, id, out)).stderr).toBe(
      `${command}: output directory exists (try --overwrite)\n`,
    );
    writeFileSync(join(out, 'old'), '');
    expect((await rkt('image', command, '--overwrite', '--rootfs-only', id, out)).status).toBe(0);
    expect(readdirSync(out)).toEqual(['etc']);
    expect(readdirSync(dir).toSorted()).toEqual(['data', 'out']);
  });

  it('says what whoever is not root does not get', async () => {
    const unprivileged = rktWith(dir, {}, { uid: 1000 });
    const { status, stderr } = await unprivileged('image', command, id, join(dir, 'out'));
    expect([status, stderr]).toEqual([
      0,
      `${command}: warning: not root: all files are yours, and devices and attributes that only root may set are left out\n`,
    ]);
  });

  it('replaces no directory that the store or the caller is in', async () => {
    for (const path of ['/', dir, join(dir, 'data'), process.cwd()]) {
      const { status, stderr } = await rkt('image', command, '--overwrite', id, path);
      expect([status, stderr]).toEqual([254, expect.stringContaining('refusing to replace')]);
    }
    expect(existsSync(join(dir, 'data/cas'))).toBe(true);
  });
});

describe('image inspect', () => {
  it('tells what the store knows, for every image asked for', async () => {
    const { stdout } = await rkt('image', 'inspect', id, `${registry.domain}/team/demo:v1`);
    const [one, two] = JSON.parse(stdout);
    expect(two).toEqual(one);
    expect(one).toMatchObject({
      id,
      platform: `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`,
      names: [`${registry.domain}/team/demo:v1`],
      digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      config_digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      layers: [
        { diff_id: layerOf('etc/one', 'one\n').diffId, size: 2048 },
        { diff_id: layerOf('etc/two', 'two\n').diffId, size: 2048 },
      ],
      manifest: { acKind: 'ImageManifest', app: { exec: ['/etc/one'] } },
    });
    expect((await rkt('image', 'inspect', '--pretty-print=false', id)).stdout.trimEnd()).not.toContain('\n');
    const some = await rkt('image', 'inspect', 'other', id);
    expect([some.status, JSON.parse(some.stdout)]).toEqual([254, [one]]);
    expect(some.stderr).toContain('inspect: no image found for other');
  });
});

describe('image inspect --remote', () => {
  const elsewhere = (): Rkt => rktWith(mkdtempSync(join(dir, 'other-')));

  it('tells what the registry says, and stores nothing', async () => {
    const name = `${registry.domain}/team/demo:v1`;
    const [stored] = JSON.parse((await rkt('image', 'inspect', id)).stdout);
    const other = elsewhere();
    const { status, stdout, stderr } = await other('image', 'inspect', '--remote', `docker://${name}`);
    expect([status, stderr]).toEqual([0, '']);
    const [remote] = JSON.parse(stdout);
    const { names, platform, digest, config_digest, manifest } = stored;
    expect(remote).toMatchObject({ names, platform, digest, config_digest, manifest });
    expect(remote.layers.map((layer: { diff_id: string }) => layer.diff_id)).toEqual(
      stored.layers.map((layer: { diff_id: string }) => layer.diff_id),
    );
    expect(remote.config.config).toEqual({ Entrypoint: ['/etc/one'] });
    expect(remote).not.toHaveProperty('id');
    expect((await other('image', 'list', '--no-legend')).stdout).toBe('');
  });

  it('says what is no image of a registry, and goes on', async () => {
    const name = `docker://${registry.domain}/team/demo:v1`;
    const { status, stdout, stderr } = await elsewhere()('image', 'inspect', '--remote', id, 'demo', name, `${name}2`);
    expect([status, JSON.parse(stdout).length]).toEqual([254, 1]);
    expect(stderr).toContain('is no image of a registry\nhint: give a docker:// reference\n');
    expect(stderr).toContain(
      'inspect: "demo" is no image of a registry\nhint: for a Docker image write docker://demo\n',
    );
    expect(stderr).toContain('team/demo:v12');
  });
});

describe('image history', () => {
  it('shows layers, the newest first, when nobody said what made them', async () => {
    const { stdout } = await rkt('image', 'history', '--format=json', id);
    const steps = ['two', 'one'].map((name) => ({
      layer: layerOf(`etc/${name}`, `${name}\n`).diffId,
      created_by: '',
      size: 2048,
      comment: '',
    }));
    expect(JSON.parse(stdout)).toEqual(steps);
  });

  it('shows what made them, safe for a terminal', async () => {
    const layer = layerOf('etc/one', 'one\n');
    const layout = join(dir, 'layout');
    await rkt('image', 'export', id, `oci:${layout}`);
    const config = {
      os: 'linux',
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      rootfs: { type: 'layers', diff_ids: [layer.diffId] },
      history: [
        { created: '2026-01-02T03:00:00Z', created_by: `COPY \u001b[31m${'x'.repeat(100)}`, comment: 'buildkit' },
        { created_by: 'CMD ["sh"]', empty_layer: true },
      ],
    };
    const saved = await import('node:crypto').then(({ createHash }) => (bytes: string) => {
      const digest = createHash('sha256').update(bytes).digest('hex');
      writeFileSync(join(layout, 'blobs/sha256', digest), bytes);
      return { digest: `sha256:${digest}`, size: Buffer.byteLength(bytes) };
    });
    mkdirSync(join(layout, 'blobs/sha256'), { recursive: true });
    const manifest = JSON.stringify({
      schemaVersion: 2,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...saved(JSON.stringify(config)) },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: layer.diffId, size: 2048 }],
    });
    writeFileSync(
      join(layout, 'index.json'),
      JSON.stringify({
        schemaVersion: 2,
        manifests: [{ mediaType: 'application/vnd.oci.image.manifest.v1+json', ...saved(manifest) }],
      }),
    );
    expect(await rkt(insecure, 'fetch', '--quiet', `oci:${layout}`)).toMatchObject({ status: 0 });
    const shown = await rkt('image', 'history', 'localhost/layout');
    expect(shown.stdout.split('\n').map((line) => line.split(/\t+/))).toEqual([
      ['LAYER', 'CREATED', 'CREATED BY', 'SIZE', 'COMMENT'],
      ['<none>', '-', 'CMD ["sh"]', '0B', ''],
      [layer.diffId.slice(0, 19), '4 minutes ago', `COPY  [31m${'x'.repeat(32)}...`, '2.0KiB', 'buildkit'],
      [''],
    ]);
    expect((await rkt('image', 'history', '--full', '--no-legend', 'localhost/layout')).stdout).toContain(
      'x'.repeat(100),
    );
  });
});
