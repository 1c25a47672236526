// SPDX-License-Identifier: Apache-2.0
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { currentOwner, isOwnerAlive } from '../src/host/owner.ts';

describe('the owner of something in the store', () => {
  it('is alive while its process is, and cannot be taken for another', () => {
    const owner = currentOwner();
    const [pid, start, boot] = owner.split('-');
    expect(pid).toBe(String(process.pid));
    expect(isOwnerAlive(owner)).toBe(true);
    for (const other of [
      `${pid}-${Number(start) + 1}-${boot}`,
      `${pid}-${start}-00000000`,
      `4194305-${start}-${boot}`,
    ]) {
      expect(isOwnerAlive(other), other).toBe(false);
    }
  });

  it('is dead when it is no owner', () => {
    for (const text of ['', '1', '../../etc', `${process.pid}`, '1-2-3', `self-1-${currentOwner().slice(-8)}`]) {
      expect(isOwnerAlive(text), text).toBe(false);
    }
  });

  it('is not taken for dead where no file can be opened', async () => {
    const script = fileURLToPath(new URL('processes/ask-without-handles.ts', import.meta.url));
    const limited = ['-c', 'ulimit -n 64 && exec "$0" "$@"', process.execPath, ...process.execArgv, script];
    const { stdout } = await promisify(execFile)('sh', limited);
    expect(stdout).toBe('EMFILE');
  });

  it('is dead as soon as its process has ended', async () => {
    const child = spawn('sleep', ['60']);
    const { readFileSync } = await import('node:fs');
    const stat = readFileSync(`/proc/${child.pid}/stat`, 'latin1');
    const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    const owner = `${child.pid}-${start}-${currentOwner().slice(-8)}`;
    expect(isOwnerAlive(owner)).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(isOwnerAlive(owner)).toBe(false);
  });
});
