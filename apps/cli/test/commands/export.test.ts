// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { TestRegistry } from '@rkt/registry/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { demoRegistry } from '../support/demo-registry.ts';
import { fakeIo } from '../support/fake-io.ts';
import { type FakeRuntime, fakePod, fakeRuntime } from '../support/fake-runtime.ts';
import { type Rkt, rktWith } from '../support/run-rkt.ts';

const POD = '5bc080ca-3b1e-4bd1-9007-759df0f8e096';
const insecure = '--insecure-options=image';
let registry: TestRegistry;
let dir: string;
let rkt: Rkt;
let runtime: FakeRuntime;
let upperDir: string;

beforeAll(async () => {
  registry = await demoRegistry();
});
afterAll(() => registry.close());

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-cli-export-'));
  runtime = fakeRuntime();
  rkt = rktWith(dir, { openRuntime: async () => runtime });
  const fetched = await rkt(insecure, 'fetch', '--full', '--quiet', `docker://${registry.domain}/team/demo:v1`);
  const app = { imageId: fetched.stdout.trim(), state: 'exited' } as const;
  const apps = [
    { ...app, name: 'demo' },
    { ...app, name: 'other' },
  ];
  runtime.pods.set(POD, fakePod({ id: POD, state: 'exited', apps }));
  upperDir = join(dir, 'upper');
  mkdirSync(join(upperDir, 'etc'), { recursive: true });
  writeFileSync(join(upperDir, 'etc/two'), 'another two\n');
  runtime.files = { upperDir, users: undefined };
});
afterEach(() => rmSync(dir, { recursive: true }));

const output = (): string => join(dir, 'pod.aci');

describe('export', () => {
  it('writes what fetch reads: the image under its name, with other files and without the digests it had', async () => {
    expect(await rkt('export', POD, output())).toEqual({ status: 0, stdout: '', stderr: '' });
    const other = rktWith(mkdtempSync(join(dir, 'other-')));
    const { stdout: id } = await other(insecure, 'fetch', '--full', '--quiet', output());
    const manifest = JSON.parse((await other('image', 'cat-manifest', id.trim())).stdout);
    const before = JSON.parse((await rkt('image', 'cat-manifest', `${registry.domain}/team/demo:v1`)).stdout);
    const named = ({ name }: { readonly name: string }): boolean => !/imageid|manifesthash/.test(name);
    expect(manifest).toEqual({ ...before, annotations: before.annotations.filter(named) });
    expect(before.annotations.length).toBe(manifest.annotations.length + 2);
    expect((await other('image', 'extract', '--rootfs-only', id.trim(), join(dir, 'tree'))).status).toBe(0);
    expect(readFileSync(join(dir, 'tree/etc/one'), 'utf8')).toBe('one\n');
    expect(readFileSync(join(dir, 'tree/etc/two'), 'utf8')).toBe('another two\n');
  });

  it('is that of the app that is named, of several', async () => {
    await rkt('export', '--app=other', POD, output());
    await rkt('export', '--overwrite', 'demo', output());
    expect(runtime.calls).toEqual(['openAppFiles other', 'close files', 'openAppFiles demo', 'close files']);
  });

  it('packs with gzip unless it is told otherwise, the same bytes every time', async () => {
    await rkt('export', POD, output());
    const plain = fakeIo();
    expect((await rkt.within(plain, 'export', '--compression=none', POD, '-')).status).toBe(0);
    const { stdout } = plain.written;
    expect(stdout.startsWith('manifest\0')).toBe(true);
    expect(gunzipSync(readFileSync(output())).toString('latin1')).toBe(stdout);
  });

  it('keeps a file that is there, and leaves nothing when it fails', async () => {
    writeFileSync(output(), 'precious');
    expect(await rkt('export', POD, output())).toMatchObject({
      status: 254,
      stderr: 'export: output ACI file exists (try --overwrite)\n',
    });
    runtime.files = { upperDir: join(dir, 'nowhere'), users: undefined };
    expect((await rkt('export', '--overwrite', POD, output())).status).toBe(254);
    expect(readFileSync(output(), 'utf8')).toBe('precious');
    expect(readdirSync(dir).toSorted()).toEqual(['data', 'pod.aci', 'upper']);
    expect(runtime.calls.filter((call) => call === 'close files')).toHaveLength(2);
  });

  it('refuses what is no name of an ACI, a terminal, and one operand', async () => {
    expect(await rkt('export', POD, 'pod.tar')).toMatchObject({
      status: 254,
      stderr: expect.stringContaining('export: extension of output file "pod.tar" must be .aci\n'),
    });
    const terminal = fakeIo({ tty: true });
    expect(await rkt.within(terminal, 'export', POD, '-')).toMatchObject({
      status: 254,
      stderr: expect.stringContaining('standard output is a terminal'),
    });
    expect((await rkt('export', POD)).stderr).toContain('must provide a pod UUID and an output file');
    expect((await rkt('export', '-o', 'x.aci', POD)).stderr).toContain('the file comes last: rkt export POD FILE.aci');
  });

  it('says so when the image is gone', async () => {
    await rkt('image', 'rm', '--all');
    expect(await rkt('export', POD, output())).toMatchObject({
      status: 254,
      stderr: expect.stringMatching(/^export: no image found for sha512-[0-9a-f]+\n/),
    });
    rmSync(join(dir, 'data'), { recursive: true });
    expect(await rkt('export', POD, output())).toMatchObject({
      status: 254,
      stderr: expect.stringContaining(`export: the image of pod "${POD}" is not in the store\n`),
    });
  });
});
