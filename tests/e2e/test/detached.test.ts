// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { eventually } from '../src/eventually.ts';
import { settledHostState } from '../src/host-state.ts';
import { executable, type Finished, isLive } from '../src/rkt.ts';
import { ask } from '../src/tcp.ts';
import { machineWithStoredImages } from '../src/test-machine.ts';

const insecure = '--insecure-options=image';
const host = machineWithStoredImages({ 'docker.io/library/redis': 'redis' });

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
  // What is not stored is fetched first.
  expect((await host.rkt(['image', 'rm', 'redis'])).status).toBe(0);
  const id = await detached(['--port=6379-tcp:16380']);
  const follow = host.start(['logs', '-f', id]);
  await eventually(() => follow.output.stdout.includes('Ready to accept connections') || undefined);
  expect(await ask('127.0.0.1', 16380, 'PING\r\n')).toBe('+PONG');
  const running = processes().filter((command) => !command.includes(' logs '));
  expect(running.map((command) => command.split(' ')[0])).toEqual(['/usr/bin/conmon']);
  expect(settledHostState().mounts).toEqual(host.before.mounts);
  expect(await host.rkt(['enter', id, 'redis-cli', 'ping'])).toMatchObject({ status: 0, stdout: 'PONG\n' });
  const waiting = host.start(['wait', id]);
  expect((await host.rkt(['stop', id.slice(0, 8)])).stdout).toBe(`"${id}"\n`);
  expect((await follow.finished).status).toBe(0);
  expect(follow.output.stdout).toContain('User requested shutdown');
  expect(await waiting.finished).toMatchObject({ status: 0, stdout: '0\n' });
  expect((await host.rkt(['logs', '--tail=1', id])).stdout).toMatch(/^.*bye bye.*\n$/);
  expect((await host.rkt(['status', id])).stdout).toContain('app-redis=0\n');
  // Before anything is collected: only files are left.
  expect(settledHostState()).toEqual(host.before);
});

it('keeps the status of an app that ends by itself, and has the host as it was at once', async () => {
  const id = await detached(
    ['--port=6379-tcp:16381'],
    ['--exec=/bin/sh', '--', '-c', 'echo one; echo two >&2; exit 7'],
  );
  expect((await host.rkt(['wait', id])).stdout).toBe('7\n');
  expect(settledHostState()).toEqual(host.before);
  expect((await host.rkt(['status', id])).stdout).toMatch(/^state=exited\n.*\napp-redis=7\n/s);
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
  const run = host.start([insecure, 'run', '-d', '--quiet', '--port=6379-tcp:16382', 'docker://redis']);
  await new Promise((resolve) => setTimeout(resolve, ms));
  run.child.kill('SIGKILL');
  await run.finished.catch(() => undefined);
  // What runs then, started or not, can be stopped; the rest is what gc is for.
  const pods: readonly { name: string; state: string }[] = JSON.parse(
    (await host.rkt(['list', '--format=json'])).stdout,
  );
  const running = pods.filter(isLive).map(({ name }) => name);
  if (running.length > 0) expect((await host.rkt(['stop', '--force', ...running])).status).toBe(0);
  expect((await host.rkt(['gc', '--grace-period=0s', '--expire-prepared=0s'])).status).toBe(0);
  expect((await host.rkt(['list', '--no-legend'])).stdout).toBe('');
  expect(settledHostState()).toEqual(host.before);
});

it('that was killed with its monitor is cleared away by gc', async () => {
  const id = await detached();
  const record = join(host.dataDir, 'pods/run', id, 'apps/redis/status.json');
  process.kill(JSON.parse(readFileSync(record, 'utf8')).monitor.pid, 'SIGKILL');
  expect(
    await eventually(async () => {
      const { stdout } = await host.rkt(['status', id]);
      return stdout.startsWith('state=orphaned\n') || undefined;
    }),
  ).toBe(true);
  await host.rkt(['gc', '--grace-period=0s']);
  expect((await host.rkt(['list', '--no-legend'])).stdout).toBe('');
});

/** An app of the pod, of a script. */
const shell = (name: string, script: string): readonly string[] => [
  'docker://redis',
  ...[`--name=${name}`, '--exec=/bin/sh', '--', '-c', script, '---'],
];

async function left(...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await host.rkt([insecure, 'run', '-d', '--quiet', '--net=none', ...args]);
  expect({ status, stderr }).toMatchObject({ status: 0 });
  return stdout.trim();
}

/** Until it is asked to end: the first process of a PID namespace heeds no signal that it has not asked for. */
const endless = 'trap "exit 4" TERM; while :; do sleep 0.05; done';

it('stops the other apps when one fails, unless it is not to', async () => {
  const id = await left(...shell('one', 'sleep 0.5; exit 3'), ...shell('two', endless));
  expect((await host.rkt(['wait', '--app=two', id])).stdout).toBe('4\n');
  expect((await host.rkt(['status', id])).stdout).toMatch(/^state=exited\n.*\napp-one=3\napp-two=4\n/s);
  expect(settledHostState()).toEqual(host.before);
  const other = await left('--on-app-failure=continue', ...shell('one', 'exit 3'), ...shell('two', endless));
  expect((await host.rkt(['wait', '--app=one', other])).stdout).toBe('3\n');
  expect((await host.rkt(['status', other])).stdout).toContain('state=running\n');
  await host.rkt(['stop', other]);
  expect(settledHostState()).toEqual(host.before);
});

it('starts an app again that fails, keeps what it wrote, and gives the host back when it is over', async () => {
  const script = 'echo run >>/runs; wc -l </runs; [ "$(wc -l </runs)" -gt 3 ] || exit 5';
  const id = await left('--restart=on-failure', ...shell('one', script));
  expect((await host.rkt(['wait', id])).stdout).toBe('0\n');
  expect((await host.rkt(['logs', id])).stdout).toBe('1\n2\n3\n4\n');
  const [pod] = JSON.parse((await host.rkt(['list', '--format=json'])).stdout);
  expect(pod).toMatchObject({ state: 'exited', apps: [{ exit_code: 0, restarts: 3 }] });
  expect(settledHostState()).toEqual(host.before);
  const well = await left('--restart=on-failure', 'docker://redis', '--exec=/bin/true');
  expect((await host.rkt(['wait', well])).stdout).toBe('0\n');
  const limited = await left('--restart=on-failure:2', ...shell('one', 'echo x; exit 5'));
  expect((await host.rkt(['wait', limited])).stdout).toBe('5\n');
  expect((await host.rkt(['logs', limited])).stdout).toBe('x\nx\nx\n');
  expect(settledHostState()).toEqual(host.before);
});

it('that is always started again is stopped all the same, by stop and by kill', async () => {
  for (const stop of [['stop'], ['kill'], ['stop', '--force']]) {
    const id = await left('--restart=always', ...shell('one', `echo up; ${endless}`));
    process.kill(
      JSON.parse(readFileSync(join(host.dataDir, 'pods/run', id, 'apps/one/status.json'), 'utf8')).process.pid,
      'SIGKILL',
    );
    await eventually(async () => (await host.rkt(['logs', id])).stdout === 'up\nup\n' || undefined);
    // Who has started it again ends after that.
    await expect.poll(() => processes().map((command) => command.split(' ')[0])).toEqual(['/usr/bin/conmon']);
    expect((await host.rkt([...stop, id])).status).toBe(0);
    await host.rkt(['wait', id]);
    expect((await host.rkt(['status', id])).stdout).toContain('state=exited\n');
    expect(settledHostState()).toEqual(host.before);
  }
});

it('takes apps while nothing of rkt runs: a sandbox that was left', async () => {
  const id = (await host.rkt(['app', 'sandbox', '-d', '--net=none'])).stdout.trim();
  expect(processes()).toEqual([]);
  expect((await host.rkt([insecure, 'app', 'add', id, 'docker://redis'])).stdout).toBe('redis\n');
  expect(await host.rkt(['app', 'start', '-d', id])).toMatchObject({ status: 0, stdout: 'redis\n' });
  await eventually(async () => (await host.rkt(['logs', id])).stdout.includes('Ready to accept') || undefined);
  expect(await host.rkt(['enter', id, 'redis-cli', 'ping'])).toMatchObject({ stdout: 'PONG\n' });
  await host.rkt(['app', 'stop', id]);
  expect((await host.rkt(['wait', id])).stdout).toBe('0\n');
  expect((await host.rkt(['app', 'rm', id])).status).toBe(0);
  expect((await host.rkt(['status', id])).stdout).toContain('state=running\n');
  expect((await host.rkt(['stop', id])).status).toBe(0);
  expect(settledHostState()).toEqual(host.before);
});

it('is not in the cgroups of who started it', async () => {
  const id = await detached(['--net=none']);
  const { monitor, process: app } = JSON.parse(
    readFileSync(join(host.dataDir, 'pods/run', id, 'apps/redis/status.json'), 'utf8'),
  );
  for (const pid of [monitor.pid, app.pid]) {
    const cgroups = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n');
    expect(cgroups.filter((line) => !/:\/rkt\//.test(line))).toEqual([]);
  }
  await host.rkt(['stop', id]);
});

it('answers at a port that was chosen, which status shows', async () => {
  const id = await detached(['-p', '127.0.0.1::6379']);
  const [, port = ''] = /^ports=127\.0\.0\.1:(\d+)->6379\/tcp$/m.exec((await host.rkt(['status', id])).stdout) ?? [];
  await eventually(async () => (await host.rkt(['logs', id])).stdout.includes('Ready to accept') || undefined);
  expect(await ask('127.0.0.1', Number(port), 'PING\r\n')).toBe('+PONG');
  await host.rkt(['stop', id]);
});

it('is checked as its image says, is waited for until it is healthy, and leaves nothing', async () => {
  const check = JSON.stringify({ Test: ['CMD', 'redis-cli', 'ping'], Interval: 1e9 });
  const id = await left('docker://redis', `--annotation=appc.io/docker/healthcheck=${check}`);
  expect(await host.rkt(['wait', '--condition=healthy', id])).toMatchObject({ status: 0, stdout: '' });
  expect((await host.rkt(['list', '--no-legend'])).stdout).toContain('\trunning (healthy)\t');
  expect((await host.rkt(['status', id])).stdout).toContain('app-redis-health=healthy\n');
  await host.rkt(['stop', id]);
  expect(settledHostState()).toEqual(host.before);
  const unchecked = await left(
    '--no-healthcheck',
    'docker://redis',
    `--annotation=appc.io/docker/healthcheck=${check}`,
  );
  expect((await host.rkt(['list', '--no-legend'])).stdout).toContain('\trunning\t');
  await host.rkt(['stop', unchecked]);
});
