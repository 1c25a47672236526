// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { executable } from '../src/rkt.ts';

const temporary = mkdtempSync(join(tmpdir(), 'rkt-readonly-'));
const bin = join(temporary, 'bin');
const data = join(temporary, 'data');

beforeAll(() => {
  mkdirSync(bin);
  mkdirSync(data);
  copyFileSync(executable, join(bin, 'rkt'));
  makeAci();
});
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

function makeAci(): void {
  const aci = join(temporary, 'aci');
  mkdirSync(join(aci, 'rootfs'), { recursive: true });
  const manifest = { acKind: 'ImageManifest', acVersion: '0.8.11', name: 'example.com/small' };
  writeFileSync(join(aci, 'manifest'), JSON.stringify(manifest));
  execFileSync('tar', ['--create', `--file=${join(bin, 'small.aci')}`, `--directory=${aci}`, '.']);
}

const temporaries = ['/tmp', '/var/tmp', '/dev/shm', '/run'];

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a script where the whole host is read-only but for a data directory and empty directories for temporary files,
 * with `options` for the mounts of these.
 */
function onReadOnlyHost(script: string, options = 'rw'): Outcome {
  const prepared = [
    'set -eu',
    'mount -t tmpfs none /mnt',
    'mkdir /mnt/bin /mnt/data',
    `mount --bind ${bin} /mnt/bin`,
    'mount -o remount,bind,ro /mnt/bin',
    `mount --bind ${data} /mnt/data`,
    ...temporaries.map((directory) => `mount -t tmpfs -o ${options} none ${directory}`),
    'mount -o remount,bind,ro /',
    // The command `mount` keeps a directory of its own there.
    'rm -rf /run/mount',
    'rkt() { /mnt/bin/rkt --dir=/mnt/data "$@"; }',
    script,
  ].join('\n');
  const { NODE_COMPILE_CACHE: _cache, ...inherited } = process.env;
  const env = { ...inherited, TMPDIR: '/tmp', HOME: '/tmp' };
  const command = ['--mount', '--propagation', 'private', 'sh', '-c', prepared];
  return spawnSync('unshare', command, { env, cwd: '/', encoding: 'utf8' });
}

function outputOnReadOnlyHost(script: string): string {
  const { status, stdout, stderr } = onReadOnlyHost(script);
  expect({ status, stderr }).toMatchObject({ status: 0 });
  return stdout;
}

it('cannot write where it stands', () => {
  expect(outputOnReadOnlyHost('if touch /mnt/bin/x 2>/dev/null || touch /x 2>/dev/null; then echo written; fi')).toBe(
    '',
  );
});

it('runs from a read-only directory of a read-only host', () => {
  expect(outputOnReadOnlyHost('rkt version')).toContain('rkt Version: ');
});

it('loads its native part, works, and leaves nothing among temporary files', () => {
  const script = `
rkt --insecure-options=image fetch --full --quiet /mnt/bin/small.aci
rkt image list --no-legend --fields=name
rkt list --format=json
rkt image rm example.com/small >/dev/null
find ${temporaries.join(' ')} -mindepth 1`;
  expect(outputOnReadOnlyHost(script)).toMatch(/^sha512-[0-9a-f]{128}\nexample\.com\/small\n\[\]\n$/);
});

it('ends when all it had to say has been read, however slowly', () => {
  const script = `
id=$(rkt --insecure-options=image fetch --quiet /mnt/bin/small.aci)
ids=$(yes $id | head -300)
rkt image inspect $ids >/tmp/all
rkt image inspect $ids | (sleep 0.5; cmp - /tmp/all)
test $(stat -c %s /tmp/all) -gt 100000
rkt image rm $id >/dev/null`;
  expect(outputOnReadOnlyHost(script)).toBe('');
});

it('says so where no directory takes an executable file', () => {
  const { status, stdout, stderr } = onReadOnlyHost('rkt --insecure-options=image fetch /mnt/bin/small.aci', 'noexec');
  expect({ status, stdout }).toEqual({ status: 254, stdout: '' });
  expect(stderr).toContain(
    'cannot load the native part of rkt through any of /dev/shm, /run, /tmp, /var/tmp, /var/lib',
  );
});
