// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startTestRegistry, type TestRegistry } from '@rkt/registry/testing';
import { composeImage } from '@rkt/tooling-images';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { eventually } from '../src/eventually.ts';
import { type HostState, hostState } from '../src/host-state.ts';
import { imageCache } from '../src/image-cache.ts';
import { executable, type Finished, type Installation, installation, mirrors } from '../src/rkt.ts';
import { ask } from '../src/tcp.ts';

const insecure = '--insecure-options=image';
let registry: TestRegistry;
let before: HostState;
let host: Installation;

beforeAll(async () => {
  registry = await startTestRegistry();
  await registry.addLayout(await composeImage('redis', imageCache), { repository: 'library/redis', tag: 'latest' });
});
afterAll(() => registry.close());
beforeEach(() => {
  before = settled(hostState());
  host = installation();
  host.configure('registries.d/mirrors.json', mirrors(['docker.io'], new URL(registry.origin).host));
});
afterEach(async () => {
  await host[Symbol.asyncDispose]();
  expect(settled(hostState())).toEqual(before);
});

/** As in the tests of killed pods: where PID 1 waits for nobody, the dead keep their PID namespace. */
function settled(state: HostState): HostState {
  return { ...state, namespaces: state.namespaces.filter((line) => !line.endsWith(' pid')) };
}

async function detached(flags: readonly string[] = [], args: readonly string[] = []): Promise<string> {
  const { status, stdout, stderr } = await host.rkt([
    insecure,
    'run',
    '-d',
    '--quiet',
    ...flags,
    'docker://redis',
    ...args,
  ]);
  expect({ status, stderr }).toMatchObject({ status: 0 });
  expect(stdout).toMatch(/^[0-9a-f-]{36}\n$/);
  return stdout.trim();
}

/** The command lines of what belongs to our data directory. */
function processes(): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return command.includes(host.dataDir) ? [command] : [];
      } catch {
        return [];
      }
    });
}

it('serves while nothing of rkt runs but a monitor, has its output read, and stops', async () => {
  const id = await detached(['--port=6379-tcp:16380']);
  const follow = host.start(['logs', '-f', id]);
  await eventually(() => follow.output.stdout.includes('Ready to accept connections') || undefined);
  expect(await ask('127.0.0.1', 16380, 'PING\r\n')).toBe('+PONG');
  const running = processes().filter((command) => !command.includes(' logs '));
  expect(running.map((command) => command.split(' ')[0])).toEqual(['/usr/bin/conmon']);
  expect(hostState().mounts).toEqual(before.mounts);
  expect(await host.rkt(['enter', id, 'redis-cli', 'ping'])).toMatchObject({ status: 0, stdout: 'PONG\n' });
  const waiting = host.start(['wait', id]);
  expect((await host.rkt(['stop', id.slice(0, 8)])).stdout).toBe(`"${id}"\n`);
  expect((await follow.finished).status).toBe(0);
  expect(follow.output.stdout).toContain('User requested shutdown');
  expect(await waiting.finished).toMatchObject({ status: 0, stdout: '0\n' });
  expect((await host.rkt(['logs', '--tail=1', id])).stdout).toMatch(/^.*bye bye.*\n$/);
  expect((await host.rkt(['status', id])).stdout).toContain('app-redis=0\n');
  // Before anything is collected: only files are left.
  expect(settled(hostState())).toEqual(before);
});

it('keeps the status of an app that ends by itself, and has the host as it was at once', async () => {
  const id = await detached(
    ['--port=6379-tcp:16381'],
    ['--exec=/bin/sh', '--', '-c', 'echo one; echo two >&2; exit 7'],
  );
  expect((await host.rkt(['wait', id])).stdout).toBe('7\n');
  expect(settled(hostState())).toEqual(before);
  expect((await host.rkt(['status', id])).stdout).toMatch(/^state=exited\n.*\napp-redis=7\n$/s);
  expect(await host.rkt(['logs', id])).toMatchObject({ stdout: 'one\n', stderr: 'two\n' });
  expect(await host.rkt(['rm', id])).toMatchObject({ status: 0 });
});

it('is removed with --rm when it has ended, and not before', async () => {
  const id = await detached(['--rm'], ['--exec=/bin/sleep', '--', '60']);
  expect((await host.rkt(['kill', '--signal=TERM', id])).status).toBe(0);
  expect((await host.rkt(['list', '--no-legend'])).stdout).toContain('running');
  const waiting = host.start(['wait', id]);
  await host.rkt(['kill', id]);
  expect((await waiting.finished).stdout).toBe('137\n');
  expect((await host.rkt(['list', '--no-legend'])).stdout).toBe('');
  expect(readdirSync(join(host.dataDir, 'pods', 'run'))).toEqual([]);
});

/** Runs rkt on a terminal of 31 rows and 77 columns; `keys` are typed one after the other, each when the last has shown. */
async function onTerminal(
  args: readonly string[],
  keys: readonly (readonly [text: string, shows: string])[],
): Promise<Finished> {
  const globals = [`--dir=${host.dataDir}`, `--local-config=${host.configDir}`, '--system-config='];
  const command = [executable, ...globals, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qec', `stty rows 31 cols 77; exec ${command}`, '/dev/null'], { stdio: 'pipe' });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  for (const [text, shows] of keys) {
    child.stdin.write(text);
    await eventually(() => stdout.includes(shows) || undefined);
  }
  const [status] = await once(child, 'exit');
  return { status, stdout, stderr: '' };
}

it('is attached to on a terminal, is left by keys and ends with whoever attaches', async () => {
  const run = [insecure, 'run', '-d', '--quiet', '--net=none', '--interactive', 'docker://redis', '--exec=/bin/sh'];
  const { stdout } = await onTerminal(run, []);
  const id = /[0-9a-f-]{36}/.exec(stdout)?.[0] ?? '';
  const first = await onTerminal(
    ['attach', id],
    [
      ['echo $((6*7))\r', '42\r'],
      ['stty size\r', '31 77'],
      ['\x10\x11', ''],
    ],
  );
  expect(first.status).toBe(0);
  expect((await host.rkt(['status', id])).stdout).toContain('state=running\n');
  expect((await onTerminal(['attach', id], [['exit 9\r', 'exit 9']])).status).toBe(9);
  expect((await host.rkt(['status', id])).stdout).toContain('app-redis=9\n');
});

it.each([[80], [140], [200], [260], [320]])('is cleared away when rkt is killed %i ms after its start', async (ms) => {
  await host.rkt([insecure, 'fetch', '--quiet', 'docker://redis']);
  const run = host.start([insecure, 'run', '-d', '--quiet', '--port=6379-tcp:16382', 'docker://redis']);
  await new Promise((resolve) => setTimeout(resolve, ms));
  run.child.kill('SIGKILL');
  await run.finished.catch(() => undefined);
  // What runs then, started or not, can be stopped; the rest is what gc is for.
  const pods: readonly { name: string; state: string }[] = JSON.parse(
    (await host.rkt(['list', '--format=json'])).stdout,
  );
  const running = pods.filter(({ state }) => state === 'running').map(({ name }) => name);
  if (running.length > 0) expect((await host.rkt(['stop', '--force', ...running])).status).toBe(0);
  expect((await host.rkt(['gc', '--grace-period=0s', '--expire-prepared=0s'])).status).toBe(0);
  expect((await host.rkt(['list', '--no-legend'])).stdout).toBe('');
  expect(settled(hostState())).toEqual(before);
});

it('that was killed with its monitor is cleared away by gc', async () => {
  const id = await detached();
  const record = join(host.dataDir, 'pods/run', id, 'apps/redis/status.json');
  process.kill(JSON.parse(readFileSync(record, 'utf8')).monitor.pid, 'SIGKILL');
  expect(
    await eventually(async () => {
      const { stdout } = await host.rkt(['status', id]);
      return stdout.startsWith('state=exited\n') || undefined;
    }),
  ).toBe(true);
  await host.rkt(['gc', '--grace-period=0s']);
  expect((await host.rkt(['list', '--no-legend'])).stdout).toBe('');
});
