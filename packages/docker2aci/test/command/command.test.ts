// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parseArguments, UsageError } from '../../src/command/arguments.ts';
import { sizeText } from '../../src/command/report.ts';
import { writeLayout } from '../layout.ts';
import { temporaryDirectory } from '../temporary.ts';
import { docker2aci } from './run-command.ts';

const golden = (name: string): string => fileURLToPath(new URL(`../golden/${name}`, import.meta.url));

describe('flags', () => {
  test('are Go’s: one dash or two, joined or not, up to the first operand', () => {
    expect(
      parseArguments(['-nosquash', '--debug=false', '-image', 'a:1', '--compression=zstd', 'x', '-debug']),
    ).toEqual({
      compression: 'zstd',
      debug: false,
      image: 'a:1',
      insecureAllowHttp: false,
      insecureSkipVerify: false,
      nosquash: true,
      version: false,
      operands: ['x', '-debug'],
    });
    expect(parseArguments(['--', '-x']).operands).toEqual(['-x']);
  });

  test.each([[['-image']], [['-debug=maybe', 'x']], [['-h']], [['-constructor']]])('%j is none', (argv) => {
    expect(() => parseArguments(argv)).toThrow(UsageError);
  });
});

test('sizes have three digits', () => {
  expect([0, 45, 999, 30_720, 2_211_507, 1e15].map(sizeText)).toEqual([
    '0 B',
    '45 B',
    '999 B',
    '30.7 kB',
    '2.21 MB',
    '1.00e+3 TB',
  ]);
});

describe('docker2aci', () => {
  test('says its version', async () => {
    const stdout = 'docker2aci version 9.9\nappc version 0.8.11\n';
    expect(await docker2aci('/nowhere', '-version')).toEqual({ status: 0, stdout, stderr: '' });
  });

  test('takes an OCI layout in a file, after which the image is called', async () => {
    const directory = await temporaryDirectory();
    const { stdout } = await docker2aci(directory, '-debug', `file://${golden('quirks.oci.tar')}`);
    expect(stdout).toContain('Generated ACI(s):\nquirks-latest.aci\n');
  });

  test.each([
    ['gzip', [0x1f, 0x8b]],
    ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
    ['none', [...Buffer.from('manifest')]],
  ])('packs with %s and replaces the file that is there', async (compression, magic) => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, 'library-quirks-latest.aci'), 'old');
    await docker2aci(directory, `-compression=${compression}`, golden('quirks.save'));
    const written = await readFile(join(directory, 'library-quirks-latest.aci'));
    expect([...written.subarray(0, magic.length)]).toEqual(magic);
    expect(await readdir(directory)).toEqual(['library-quirks-latest.aci']);
  });

  test.each([
    ['a file that is not there', '/no/such', 'cannot read /no/such: no such file or directory'],
    ['a file that is none', fileURLToPath(import.meta.url), 'is not an archive of images: '],
    ['a reference that is none', 'docker://a b', '"a b" is no repository name'],
  ])('fails for %s', async (_what, operand, message) => {
    const { status, stdout, stderr } = await docker2aci(await temporaryDirectory(), operand);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^Error: conversion error: .*\n$/);
    expect(stderr).toContain(message);
  });

  test.each([[[]], [['-nosquash']]])('leaves nothing when an archive is damaged (%j)', async (flags) => {
    const directory = await temporaryDirectory();
    const damaged = join(await temporaryDirectory(), 'damaged.save');
    const bytes = await readFile(golden('quirks.save'));
    bytes.fill(0xff, 40_000, 40_100);
    await writeFile(damaged, bytes);
    expect(await docker2aci(directory, ...flags, damaged)).toMatchObject({ status: 1, stdout: '' });
    expect(await readdir(directory)).toEqual([]);
  });

  test('names an image of a file as rkt does', async () => {
    const directory = await temporaryDirectory();
    const layout = await writeLayout([{ names: ['docker.io/library/alpine:3.20'] }, { names: ['v2'] }]);
    const generated = async (...flags: readonly string[]): Promise<string> =>
      (await docker2aci(directory, ...flags, layout)).stdout;
    expect(await generated('-image=alpine:3.20')).toContain('library-alpine-3.20.aci\n');
    expect(await generated('-image=v2')).toMatch(/\n[a-z0-9.-]+-v2\.aci\n$/);
    expect((await docker2aci(directory, layout)).stderr).toContain(
      'has several images: "docker.io/library/alpine:3.20", "v2"; choose one with -image\n',
    );
  });

  test('asks which image, if a file has several', async () => {
    const { stderr } = await docker2aci(await temporaryDirectory(), '-image=nosuch:1', golden('quirks.save'));
    expect(stderr).toContain('has no image "nosuch:1": it has "docker.io/library/quirks:latest"');
  });
});
