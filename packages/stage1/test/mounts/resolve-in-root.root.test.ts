// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHost } from '../../src/host/index.ts';
import { resolveInRoot } from '../../src/mounts/index.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-resolve-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function resolved(root: string, path: string): Promise<string> {
  const fd = openSync(root, constants.O_DIRECTORY);
  try {
    return resolveInRoot((await createHost().kernel()).syscalls, fd, path);
  } finally {
    closeSync(fd);
  }
}

describe('in the root of an image', () => {
  beforeEach(() => {
    mkdirSync(join(dir, 'usr/bin'), { recursive: true });
    symlinkSync('usr/bin', join(dir, 'bin'));
    symlinkSync('/usr', join(dir, 'system'));
    symlinkSync('../../../../etc', join(dir, 'usr/out'));
    symlinkSync('b', join(dir, 'a'));
    symlinkSync('a', join(dir, 'b'));
  });

  it.each([
    ['/bin/sh', '/usr/bin/sh'],
    ['/system/bin/../lib', '/usr/lib'],
    ['/usr/out/passwd', '/etc/passwd'],
    ['../..', '/'],
    ['/nowhere/at/all', '/nowhere/at/all'],
  ])('%s is %s', async (path, expected) => {
    expect(await resolved(dir, path)).toBe(expected);
  });

  it('a loop is an error', async () => {
    await expect(resolved(dir, '/a/x')).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_MOUNT_FAILED' });
  });
});

it('takes a link of a procfs that has no process for us as it is written', async () => {
  const pod = spawn(
    'unshare',
    ['--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', 'echo ready; exec sleep 60'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  try {
    await once(pod.stdout, 'data');
    expect(await resolved(`/proc/${pod.pid}/root`, '/proc/self/exe')).toBe('/proc/self/exe');
  } finally {
    pod.kill('SIGKILL');
    await once(pod, 'exit');
  }
});
