// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hostState } from '../src/host-state.ts';
import { installation } from '../src/rkt.ts';
import { testMachine } from '../src/test-machine.ts';

const insecure = '--insecure-options=image';
const redis = 'registry-1.docker.io/library/redis';
const host = testMachine({ 'docker.io/library/redis': 'redis' }, hostState);

/** An ACI as anybody can make one: GNU tar over a manifest and a directory. */
function aciOf(name: string, manifest: object, files: Readonly<Record<string, string>>): string {
  const work = join(host.dir, name);
  mkdirSync(join(work, 'rootfs'), { recursive: true });
  writeFileSync(join(work, 'manifest'), JSON.stringify({ acKind: 'ImageManifest', acVersion: '0.8.11', ...manifest }));
  for (const [path, content] of Object.entries(files)) writeFileSync(join(work, 'rootfs', path), content);
  const file = join(host.dir, `${name}.aci`);
  execFileSync('tar', ['--create', '--gzip', `--file=${file}`, `--directory=${work}`, '.']);
  return file;
}

describe('an ACI', () => {
  it('that one store wrote runs in another, under the same ID', async () => {
    const file = join(host.dir, 'redis.aci');
    const { stdout: id } = await host.rkt([insecure, 'fetch', '--full', 'docker://redis']);
    expect(await host.rkt(['image', 'export', id.trim(), file])).toMatchObject({ status: 0 });
    const other = installation();
    try {
      expect(await other.rkt([insecure, 'fetch', '--full', file])).toMatchObject({ status: 0, stdout: id });
      const ran = await other.rkt([
        insecure,
        'run',
        '--net=none',
        file,
        '--exec=/bin/sh',
        '--',
        '-c',
        'ls -l /usr/bin',
      ]);
      expect(ran).toMatchObject({ status: 0, stdout: expect.stringContaining('redis') });
    } finally {
      await other[Symbol.asyncDispose]();
    }
  });

  it('runs on what it depends on, without what its whitelist leaves out', async () => {
    expect(await host.rkt([insecure, 'fetch', 'docker://redis'])).toMatchObject({ status: 0 });
    const app = { exec: ['/bin/sh', '-c', 'cat /hello; test ! -e /hidden'], user: '0', group: '0' };
    const whole = aciOf(
      'whole',
      { name: 'example.com/whole', dependencies: [{ imageName: redis }] },
      { hello: 'hello\n', hidden: '' },
    );
    expect(await host.rkt([insecure, 'fetch', whole])).toMatchObject({ status: 0 });
    const listed = await host.rkt([
      insecure,
      'run',
      '--net=none',
      'example.com/whole',
      '--exec=/bin/sh',
      '--',
      '-c',
      'find / -xdev',
    ]);
    const pathWhitelist = listed.stdout.split('\n').filter((path) => path.startsWith('/') && path !== '/hidden');
    expect(pathWhitelist).toContain('/hello');
    const top = aciOf(
      'top',
      { name: 'example.com/top', app, dependencies: [{ imageName: 'example.com/whole' }], pathWhitelist },
      {},
    );
    expect(await host.rkt([insecure, 'run', '--net=none', top])).toMatchObject({ status: 0, stdout: 'hello\n' });
  });

  it('comes on standard input, too', async () => {
    const file = aciOf('piped', { name: 'example.com/piped' }, { a: 'a' });
    const stdin = openSync(file, 'r');
    const { status, stdout } = await host.rkt([insecure, 'fetch', '--full', '-'], { stdio: [stdin, 'pipe', 'pipe'] });
    const plain = execFileSync('gzip', ['--decompress', '--stdout'], { input: readFileSync(file) });
    expect([status, stdout.trim()]).toEqual([0, `sha512-${createHash('sha512').update(plain).digest('hex')}`]);
  });
});

describe('an exported pod', () => {
  const changes = [
    'echo new >/root/new; chown 5:6 /root/new; chmod 4750 /root/new; ln /root/new /root/again; echo more >>/etc/passwd',
    'rm /etc/shells; rm -r /usr/share; mkdir /usr/share; echo share >/usr/share/file; ln -s /nowhere /root/link',
    'touch -d @12345.5 /root/new; echo in a volume >/data/file; true',
  ].join('; ');
  const look = [
    "find / -xdev -type d -printf '%D %p %m %U:%G\\n' | sort -k 2",
    "find / -xdev -not -type d -printf '%D %p %y %m %U:%G %s %T@ %l\\n' | sort -k 2",
    'sha256sum /etc/passwd /usr/share/file /root/new',
  ].join('; ');
  /** What is seen of the root file system, and nothing of what is mounted there. */
  const seen = (stdout: string): readonly string[] => {
    const lines = stdout.trimEnd().split('\n');
    const [device = ''] = lines[0]?.split(' ') ?? [];
    return lines.flatMap((line) => {
      if (line.startsWith(`${device} `)) return [line.slice(device.length + 1)];
      return /^[0-9a-f]{64} /.test(line) ? [line] : [];
    });
  };

  it('with users of its own runs elsewhere as it was left, with those of the host', async () => {
    const volume = join(host.dir, 'volume');
    mkdirSync(volume);
    chmodSync(volume, 0o1777);
    const flags = ['--quiet', '--net=none', '-v', `${volume}:/data`];
    const shell = ['--exec=/bin/sh', '--', '-c'];
    const uuid = join(host.dir, 'uuid');
    const run = [insecure, 'run', ...flags, '--private-users', `--uuid-file-save=${uuid}`, 'docker://redis'];
    const left = await host.rkt([...run, ...shell, `${changes}; ${look}`]);
    expect(left.status, left.stderr).toBe(0);
    expect(left.stdout).toContain('/root/new f 4750 5:6 4 12345.5');
    expect(readFileSync(join(volume, 'file'), 'utf8')).toBe('in a volume\n');
    const id = readFileSync(uuid, 'utf8').trim();
    const file = join(host.dir, 'left.aci');
    expect(await host.rkt(['export', id, file])).toEqual({ status: 0, stdout: '', stderr: '' });
    const other = installation();
    try {
      const again = await other.rkt([insecure, 'run', ...flags, file, ...shell, look]);
      expect(again.status, again.stderr).toBe(0);
      expect(seen(again.stdout)).toEqual(seen(left.stdout));
      expect(seen(again.stdout).length).toBeGreaterThan(200);
      expect(seen(again.stdout).join('\n')).not.toMatch(/^\/(etc\/shells|data\/file) /m);
    } finally {
      await other[Symbol.asyncDispose]();
    }
  });
});
