// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { spawnPlugin } from '../../src/networking/index.ts';

const shell = (script: string, signal?: AbortSignal) =>
  spawnPlugin({
    file: '/bin/sh',
    args: ['-c', script],
    env: { A: 'b', PATH: '/usr/bin:/bin' },
    stdin: 'input',
    signal,
  });

describe('spawnPlugin', () => {
  it('passes input and nothing but the given environment, and returns both outputs and the status', async () => {
    const script = 'cat; echo " $A $(printenv HOME || echo none)"; echo oops >&2; exit 3';
    expect(await shell(script)).toEqual({ exitCode: 3, stdout: 'input b none\n', stderr: 'oops\n' });
  });

  it('reports a death by signal as shells do', async () => {
    expect((await shell('kill -KILL $$')).exitCode).toBe(137);
  });

  it('does not mind a program that ignores its input', async () => {
    const stdin = 'x'.repeat(1024 * 1024);
    const exit = await spawnPlugin({ file: '/bin/true', args: [], env: {}, stdin, signal: undefined });
    expect(exit.exitCode).toBe(0);
  });

  it('keeps 1 MiB of output, or what it is told, and lets the program finish', async () => {
    const { exitCode, stdout } = await shell('head -c 3000000 /dev/zero');
    expect([exitCode, stdout.length]).toEqual([0, 1024 * 1024]);
    const more = { file: '/usr/bin/head', args: ['-c', '3000000', '/dev/zero'], env: {}, stdin: '', signal: undefined };
    expect((await spawnPlugin({ ...more, maxOutputBytes: 4_000_000 })).stdout).toHaveLength(3_000_000);
  });

  it('kills the program when aborted and rejects with the reason', async () => {
    const abort = new AbortController();
    const started = Date.now();
    const running = shell('exec sleep 30', abort.signal);
    setTimeout(() => abort.abort(new Error('enough')), 50);
    await expect(running).rejects.toThrow('enough');
    expect(Date.now() - started).toBeLessThan(5000);
    await expect(shell('true', abort.signal)).rejects.toThrow('enough');
  });

  it('rejects when there is no such program', async () => {
    const missing = spawnPlugin({ file: '/no/such/plugin', args: [], env: {}, stdin: '', signal: undefined });
    await expect(missing).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
