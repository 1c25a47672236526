// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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

/** What `docker save` writes of an image with one layer. */
function savedImage(tag: string): Buffer {
  const { diffId } = layerOf('etc/one', 'one\n');
  const config = {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Entrypoint: ['/etc/one'] },
    rootfs: { type: 'layers', diff_ids: [diffId] },
  };
  const members: readonly (readonly [string, string])[] = [
    ['layer.tar', tarOf('etc/one', 'one\n').toString('latin1')],
    ['config.json', JSON.stringify(config)],
    ['manifest.json', JSON.stringify([{ Config: 'config.json', RepoTags: [tag], Layers: ['layer.tar'] }])],
  ];
  const entries = members.map(([name, content]) => tarOf(name, content).subarray(0, -END_BYTES));
  return Buffer.concat([...entries, Buffer.alloc(END_BYTES)]);
}

describe('an archive that docker saved', () => {
  it('is imported under the name it gives to the image', async () => {
    const { status, stdout, stderr } = await rkt(
      insecure,
      'fetch',
      '--quiet',
      `docker-archive:${file}:example.org/demo:v1`,
    );
    expect([status, stderr]).toEqual([0, `rkt: importing image from docker-archive:${file}:example.org/demo:v1\n`]);
    expect(stdout).toMatch(/^sha512-[0-9a-f]{32}\n$/);
    expect((await rkt('image', 'list', '--no-legend', '--fields=name')).stdout).toBe('example.org/demo:v1\n');
  });

  it('with one image alone needs no name', async () => {
    expect(await rkt(insecure, 'fetch', `docker-archive:${file}`)).toMatchObject({ status: 0 });
    expect((await rkt('image', 'list', '--no-legend', '--fields=name')).stdout).toBe('localhost/demo:latest\n');
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
    expect(stderr).toContain(`fetch: ${file} is not an archive of images: `);
  });
});
