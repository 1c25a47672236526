// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { usePodBench } from './use-bench.ts';

const { bench, runtime } = await usePodBench();

const dataPoint = { app: { mountPoints: [{ name: 'data', path: '/data' }] } };

it('starts a volume nobody supplied with what the image has there, owners and links kept', async () => {
  const script =
    'cd /data; stat -c "%n %u:%g %a" . sub/file >/out/stat; readlink link >>/out/stat; cat sub/file >>/out/stat';
  const { status, pod } = await bench.run(runtime, script, dataPoint);
  expect(status).toBe(0);
  expect(bench.read('stat')).toBe('. 11:12 755\nsub/file 13:14 644\n/etc/shadow\nfrom the image\n');
  expect(existsSync(join(pod.dir, 'volumes', 'app.data', 'sub', 'file'))).toBe(true);
});

it('gives a volume the owner and mode its pod states', async () => {
  const volumes = [{ name: 'data', kind: 'empty' as const, uid: 21, gid: 22, mode: '0711' }];
  await bench.run(runtime, 'stat -c "%u:%g %a" /data >/out/owner', { ...dataPoint, pod: { volumes } });
  expect(bench.read('owner')).toBe('21:22 711\n');
});

it('mounts a tmpfs of the mode asked for', async () => {
  const volumes = [{ name: 'data', kind: 'tmpfs' as const, mode: '0700' }];
  const script = 'grep " /data tmpfs " /proc/self/mounts >/out/tmpfs && stat -c %a /data >>/out/tmpfs';
  expect((await bench.run(runtime, script, { ...dataPoint, pod: { volumes } })).status).toBe(0);
  expect(bench.read('tmpfs')).toMatch(/\n700\n$/);
});

it('protects what is mounted below a read-only volume too', async () => {
  const source = mkdtempSync(join(tmpdir(), 'rkt-volume-'));
  mkdirSync(join(source, 'below'));
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(source, 'below')]);
  try {
    const volumes = [{ name: 'data', kind: 'host' as const, source, readOnly: true }];
    const script = '! touch /data/a && ! touch /data/below/b';
    expect((await bench.run(runtime, script, { ...dataPoint, pod: { volumes } })).status).toBe(0);
    const flat = [{ name: 'data', kind: 'host' as const, source, recursive: false }];
    const onlyTop = 'touch /data/a && touch /data/below/b';
    expect((await bench.run(runtime, onlyTop, { ...dataPoint, pod: { volumes: flat } })).status).toBe(0);
    expect(existsSync(join(source, 'a'))).toBe(true);
    execFileSync('umount', [join(source, 'below')]);
    expect(existsSync(join(source, 'below', 'b'))).toBe(true);
  } finally {
    execFileSync('sh', ['-c', `umount ${source}/below 2>/dev/null || true`]);
    rmSync(source, { recursive: true });
  }
});

it('refuses a volume whose source does not exist, and one nobody defined', async () => {
  const volumes = [{ name: 'data', kind: 'host' as const, source: '/nowhere/at-all' }];
  await expect(bench.run(runtime, 'true', { ...dataPoint, pod: { volumes } })).rejects.toMatchObject({
    code: 'ERR_RKT_STAGE1_VOLUME_SOURCE_MISSING',
    message: expect.stringContaining('/nowhere/at-all'),
  });
  const mounts = [{ volume: 'absent', path: '/x' }];
  await expect(bench.run(runtime, 'true', { runtimeApp: { mounts } })).rejects.toMatchObject({
    code: 'ERR_RKT_STAGE1_VOLUME_NOT_FOUND',
  });
});

it('keeps mounts inside of the root where the image has links that lead out', async () => {
  const outside = mkdtempSync(join(tmpdir(), 'rkt-outside-'));
  writeFileSync(join(outside, 'witness'), 'untouched');
  rmSync(join(bench.image, 'trap'), { force: true });
  symlinkSync(`../../../../../../../..${outside}`, join(bench.image, 'trap'));
  try {
    const app = { mountPoints: [{ name: 'trap', path: '/trap' }] };
    const { status } = await bench.run(runtime, `touch /trap/file && ls -a ${outside} >/out/inside`, { app });
    expect(status).toBe(0);
    expect(bench.read('inside')).toContain('file');
    expect(execFileSync('ls', [outside], { encoding: 'utf8' })).toBe('witness\n');
  } finally {
    rmSync(outside, { recursive: true });
  }
});

it('does not wait for a fifo, or leave the image, to know its users', async () => {
  rmSync(join(bench.image, 'etc/passwd'));
  execFileSync('mkfifo', [join(bench.image, 'etc/passwd')]);
  expect((await bench.run(runtime, 'exit 4')).status).toBe(4);
  rmSync(join(bench.image, 'etc/passwd'));
  const secret = '/tmp/rkt-passwd-outside';
  writeFileSync(secret, 'outsider:x:4321:1::/:/bin/sh\n');
  symlinkSync(`../../../../../../..${secret}`, join(bench.image, 'etc/passwd'));
  try {
    await expect(bench.run(runtime, 'true', { app: { user: 'outsider' } })).rejects.toMatchObject({
      code: 'ERR_RKT_STAGE1_USER_NOT_FOUND',
    });
  } finally {
    rmSync(secret);
  }
});
