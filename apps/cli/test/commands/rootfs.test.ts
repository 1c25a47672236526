// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeIo } from '../support/fake-io.ts';
import { type Rkt, rktWith } from '../support/run-rkt.ts';
import { tarOf } from '../support/tar.ts';

const insecure = '--insecure-options=image';
const own = process.arch === 'x64' ? 'amd64' : process.arch;
let dir: string;
let file: string;
let rkt: Rkt;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-cli-rootfs-'));
  file = join(dir, 'my-root.tar.gz');
  writeFileSync(file, gzipSync(tarOf('etc/one', 'one\n')));
  rkt = rktWith(dir);
});
afterEach(() => rmSync(dir, { recursive: true }));

describe('a tar of files alone', () => {
  it('is an image of one layer, called after the file, that does not say what to run', async () => {
    const { status, stdout, stderr } = await rkt(insecure, 'fetch', '--full', '--progress=none', `rootfs:${file}`);
    expect([status, stderr]).toEqual([
      0,
      `rkt: importing image from rootfs:${file}\nrkt: imported image as localhost/my-root:latest\n`,
    ]);
    const [image] = JSON.parse((await rkt('image', 'inspect', 'localhost/my-root')).stdout);
    expect(image).toMatchObject({ id: stdout.trim(), platform: `linux/${own}`, layers: [{ size: 2048 }] });
    expect(image.manifest).not.toHaveProperty('app');
    const out = join(dir, 'out');
    await rkt('image', 'extract', '--rootfs-only', 'localhost/my-root', out);
    expect(readFileSync(join(out, 'etc/one'), 'utf8')).toBe('one\n');
    const { stderr: why } = await rkt(insecure, 'prepare', '--progress=none', `rootfs:${file}`);
    expect(why).toContain('hint: name the executable with --exec after the image\n');
  });

  it('has the name it is given, and is for the platform that is said', async () => {
    const { status, stderr } = await rkt(
      insecure,
      'fetch',
      '--progress=none',
      '--platform=linux/s390x',
      `rootfs:${file}:example.org/root:v1`,
    );
    expect([status, stderr]).toEqual([0, expect.stringContaining('imported image as example.org/root:v1\n')]);
    const [image] = JSON.parse((await rkt('image', 'list', '--format=json')).stdout);
    expect(image).toMatchObject({ names: ['example.org/root:v1'], platform: 'linux/s390x' });
  });

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['plain', (bytes) => bytes],
    ['gzip', (bytes) => gzipSync(bytes)],
    ['zstd', (bytes) => zstdCompressSync(bytes)],
  ])('is the same image in a file and through a pipe (%s)', async (_name, pack) => {
    const packed = pack(tarOf('etc/one', 'one\n'));
    writeFileSync(file, packed);
    const fromFile = await rkt(insecure, 'fetch', '--progress=none', `rootfs:${file}:mine:1`);
    const io = fakeIo({ stdin: [packed.subarray(0, 30), packed.subarray(30)] });
    const piped = await rkt.within(io, insecure, 'fetch', '--progress=none', 'rootfs:-:mine:1');
    expect([fromFile.status, piped.status, piped.stdout]).toEqual([0, 0, fromFile.stdout]);
    const nameless = fakeIo({ stdin: [packed] });
    expect((await rkt.within(nameless, insecure, 'fetch', '--progress=none', 'rootfs:-')).stderr).toContain(
      'imported image as localhost/image:latest\n',
    );
    expect(readdirSync(join(dir, 'data/cas/tmp'))).toEqual([]);
  });

  it('comes back from an export as the image it was', async () => {
    const { stdout } = await rkt(insecure, 'fetch', '--progress=none', `rootfs:${file}`);
    await rkt('image', 'export', 'localhost/my-root', `oci-archive:${join(dir, 'out.oci')}`);
    const elsewhere = rktWith(mkdtempSync(join(dir, 'other-')));
    const fetched = await elsewhere(insecure, 'fetch', '--progress=none', `oci-archive:${join(dir, 'out.oci')}`);
    expect([fetched.stdout, fetched.stderr]).toEqual([
      stdout,
      expect.stringContaining('imported image as localhost/my-root:latest\n'),
    ]);
  });

  it.each<[string, () => Buffer, string]>([
    ['leads out of the root', () => tarOf('../etc/shadow', 'x'), 'etc/shadow'],
    ['has a name that takes something away', () => tarOf('etc/.wh.', 'x'), '.wh.'],
    ['is none', () => Buffer.from('no tar\n'.repeat(200)), 'it is neither a tar nor'],
    ['ends in the middle', () => gzipSync(tarOf('a', 'a'.repeat(9000))).subarray(0, -30), 'it ends in the middle'],
    ['is cut short', () => tarOf('a', 'a'.repeat(9000)).subarray(0, 2048), 'ends'],
    ['is packed with something else', () => Buffer.from('\xfd7zXZ\0', 'latin1'), 'it is compressed with xz'],
    ['is a bomb', () => gzipSync(Buffer.alloc(200 * 1024 * 1024)), 'it expands to more than'],
  ])('that %s is refused, and nothing of it is kept', async (_name, content, message) => {
    writeFileSync(file, content());
    const { status, stdout, stderr } = await rkt(insecure, 'fetch', '--progress=none', `rootfs:${file}`);
    expect([status, stdout]).toEqual([254, '']);
    expect(stderr).toContain(message);
    expect(stderr.split('\n').length).toBeLessThanOrEqual(4);
    expect((await rkt('image', 'list', '--no-legend')).stdout).toBe('');
    expect(readdirSync(join(dir, 'data/cas/tmp'))).toEqual([]);
    expect(readdirSync(dir).toSorted()).toEqual(['data', 'my-root.tar.gz']);
  });

  it('is as unsigned as anything else', async () => {
    expect((await rkt('fetch', `rootfs:${file}`)).stderr).toContain(
      'signature verification for root filesystems is not supported (try --insecure-options=image)',
    );
  });
});

describe('a file that is there, and typed as something else', () => {
  const hintFor = async (image: string): Promise<string | undefined> => {
    const { status, stderr } = await rkt(insecure, 'fetch', '--progress=none', image);
    expect(status).toBe(254);
    return /^hint: (.*)$/m.exec(stderr)?.[1];
  };

  it('is told the way it is to be typed', async () => {
    await rkt(insecure, 'fetch', '--progress=none', `rootfs:${file}`);
    const at = (name: string): string => join(dir, name);
    for (const target of ['oci', 'oci-archive', 'docker-archive']) {
      await rkt('image', 'export', 'localhost/my-root', `${target}:${at(target)}`);
      expect(await hintFor(at(target))).toBe(`write ${target}:${at(target)}`);
    }
    // Before anybody asks for a signature of it.
    expect((await rkt('fetch', at('docker-archive'))).stderr).toBe(
      `fetch: "${at('docker-archive')}" is a file, an archive of docker images\nhint: write docker-archive:${at('docker-archive')}\n`,
    );
    expect(await hintFor(`dir:${at('oci')}`)).toBe(`write oci:${at('oci')}`);
    expect(await hintFor(file)).toBe(`for an image of the files in it write rootfs:${file}`);
    expect(await hintFor(`oci-archive:${at('docker-archive')}`)).toBe(`write docker-archive:${at('docker-archive')}`);
    expect(await hintFor(`docker-archive:${at('oci-archive')}:x:1`)).toBe(`write oci-archive:${at('oci-archive')}`);
    mkdirSync(at('files'));
    expect(await hintFor(at('files'))).toContain(`tar -C ${at('files')} -c . | rkt`);
    for (const name of ['version', 'manifest.json']) writeFileSync(at(`files/${name}`), '');
    expect(await hintFor(`dir:${at('files')}`)).toBe(
      `make a layout of it first: skopeo copy dir:${at('files')} oci:LAYOUT`,
    );
  });

  it('is so by its bare name, too, and by that of no file as ever', async () => {
    const cwd = process.cwd();
    await rkt(insecure, 'fetch', '--progress=none', `rootfs:${file}`);
    await rkt('image', 'export', 'localhost/my-root', `oci-archive:${join(dir, 'a.oci')}`);
    try {
      process.chdir(dir);
      expect(await hintFor('a.oci')).toBe('write oci-archive:a.oci');
      expect(await hintFor('b.oci')).toBe('for a Docker image write docker://b.oci');
      // No server is asked for what only a file can be.
      const asked: string[] = [];
      const openDownloads = async (): Promise<never> => Promise.reject(new Error(`asked ${asked.push('')}`));
      const offline = rktWith(dir, { openDownloads });
      renameSync('a.oci', 'a.tar');
      expect(await offline(insecure, 'run', 'a.tar')).toMatchObject({
        status: 254,
        stderr: 'run: "a.tar" is a file, an archive of OCI images\nhint: write oci-archive:a.tar\n',
      });
      expect((await offline(insecure, 'fetch', 'b.tar.gz')).stderr).toMatch(
        /^fetch: there is no file "b\.tar\.gz"\nhint: an archive is named with its form: docker-archive:b\.tar\.gz, /,
      );
      expect(asked).toEqual([]);
    } finally {
      process.chdir(cwd);
    }
  });

  it('is not read to its end where it is a pipe', async () => {
    execFileSync('mkfifo', [join(dir, 'pipe')]);
    expect(await hintFor(`dir:${join(dir, 'pipe')}`)).toBeUndefined();
  });
});
