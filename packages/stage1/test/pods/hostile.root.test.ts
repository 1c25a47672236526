// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Runtime } from '../../src/index.ts';
import { createPodBench, type PodBench } from './bench.ts';
import { footprint, none } from './footprint.ts';

let bench: PodBench;
let runtime: Runtime;
let pristine: string;

beforeAll(async () => {
  bench = createPodBench();
  runtime = await bench.runtime();
  pristine = `${bench.image}.pristine`;
  cpSync(bench.image, pristine, { recursive: true, verbatimSymlinks: true });
});
beforeEach(() => {
  rmSync(bench.image, { recursive: true });
  cpSync(pristine, bench.image, { recursive: true, verbatimSymlinks: true });
});
afterEach(() => expect(footprint(bench.dataDir, bench.ids)).toEqual(none));
afterAll(() => bench.remove());

/** Another process runs the pod, so that everything written to its standard error is seen, whoever wrote it. */
async function errorsOf(exec: readonly string[], runtimePath: string): Promise<string> {
  const { id } = await bench.prepare(runtime, '', { exec });
  const program = new URL('./run-pod-process.ts', import.meta.url).pathname;
  const args = [...process.execArgv, program, bench.dataDir, id, runtimePath];
  return spawnSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] }).stderr;
}

const runtimes = ['/usr/sbin/runc', '/usr/bin/crun'];

describe.each(runtimes)('%s', (runtimePath) => {
  it('does not complain beside the one error of an app that cannot be executed', async () => {
    writeFileSync(join(bench.image, 'bin/text'), 'no program\n', { mode: 0o755 });
    writeFileSync(join(bench.image, 'bin/script'), '#!/no/such\n', { mode: 0o755 });
    for (const executable of ['/bin/absent', 'absent', '/bin', '/etc/passwd', '/bin/text', '/bin/script']) {
      const errors = await errorsOf([executable], runtimePath);
      expect(errors.split('\n').filter((line) => line.includes(executable))).toEqual([
        expect.stringMatching(/^Stage1Error \[ERR_RKT_STAGE1_EXEC|^ *(throw )?Stage1Error: /),
      ]);
    }
  });
});

describe('an app that is too large for the kernel', () => {
  const large = 'x'.repeat(100_000);
  const many = Array.from({ length: 100 }, (_, index) => ({ name: `V${index}`, value: large }));
  it.each([
    ['one variable of 10 MB', { app: { environment: [{ name: 'V', value: large.repeat(100) }] } }, '131071 bytes'],
    ['10 MB of variables', { app: { environment: many } }, 'bytes, got 100'],
    ['an argument of 200 kB', { exec: ['/bin/sh', large + large] }, 'got 200000'],
  ])('is refused: %s', async (_, options, said) => {
    await expect(bench.run(runtime, '', options)).rejects.toMatchObject({
      code: 'ERR_RKT_STAGE1_APP_INVALID',
      message: expect.stringContaining(said),
    });
  });

  it('is run when it is not quite', async () => {
    const environment = Array.from({ length: 15 }, (_, index) => ({ name: `V${index}`, value: 'x'.repeat(131_000) }));
    expect((await bench.run(runtime, 'exit 4', { app: { environment } })).status).toBe(4);
  });
});

describe('an image that sets traps', () => {
  it.each(['proc', 'dev', 'sys'])('is refused when its /%s is a symbolic link', async (name) => {
    rmSync(join(bench.image, name), { recursive: true, force: true });
    symlinkSync('/tmp', join(bench.image, name));
    await expect(bench.run(runtime, 'true')).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_MOUNT_INVALID' });
  });

  it('is refused when its working directory is a symbolic link to a descriptor', async () => {
    symlinkSync('/proc/self', join(bench.image, 'self'));
    symlinkSync('../self/fd/7', join(bench.image, 'data/work'));
    await expect(bench.run(runtime, 'true', { app: { workingDirectory: '/data/work/../8' } })).rejects.toMatchObject({
      code: 'ERR_RKT_STAGE1_APP_INVALID',
      message: expect.stringContaining('/proc/self/fd'),
    });
  });

  it('has a working directory that is a symbolic link to another of its own', async () => {
    symlinkSync('/data/sub', join(bench.image, 'work'));
    await bench.run(runtime, 'cat file >/out/file', { app: { workingDirectory: '/work' } });
    expect(bench.read('file')).toBe('from the image\n');
  });

  it.each([
    ['a pipe', ['p']],
    ['a device', ['c', '1', '5']],
  ])('has no users when its /etc/passwd is %s', async (_, type) => {
    rmSync(join(bench.image, 'etc/passwd'));
    execFileSync('mknod', [join(bench.image, 'etc/passwd'), ...type]);
    const asWorker = bench.run(runtime, 'true', { app: { user: 'worker' } });
    await expect(asWorker).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_USER_NOT_FOUND' });
    expect((await bench.run(runtime, 'exit 3')).status).toBe(3);
  });

  it('runs a program of a volume, although its root does not have it', async () => {
    mkdirSync(join(bench.out, 'bin'), { recursive: true });
    writeFileSync(join(bench.out, 'bin/tool'), '#!/bin/sh\nexit 6\n', { mode: 0o755 });
    symlinkSync('/out/bin', join(bench.image, 'tools'));
    for (const exec of [['/out/bin/tool'], ['/tools/tool']]) {
      expect((await bench.run(runtime, '', { exec })).status).toBe(6);
    }
    const app = { environment: [{ name: 'PATH', value: '/nowhere:/out/bin' }] };
    expect((await bench.run(runtime, '', { exec: ['tool'], app })).status).toBe(6);
  });

  it('is told which dynamic linker it lacks', async () => {
    const program = readFileSync(join(bench.image, 'bin/dash'));
    const linker = /\/lib\S*\/ld-[\w.-]+/.exec(program.toString('latin1'))?.[0] ?? 'none';
    rmSync(join(bench.image, linker));
    await expect(bench.run(runtime, '')).rejects.toMatchObject({
      code: 'ERR_RKT_STAGE1_EXEC_NOT_FOUND',
      message: expect.stringContaining(linker),
    });
  });
});
