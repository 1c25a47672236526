// SPDX-License-Identifier: Apache-2.0
import { rmSync } from 'node:fs';
import type { TestRegistry } from '@rkt/registry/testing';
import type { Health, LogEntry, Pod, PodApp } from '@rkt/stage1';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { demoRegistry, demoRkt } from '../support/demo-rkt.ts';
import { fakeIo } from '../support/fake-io.ts';
import { type FakeRuntime, fakePod } from '../support/fake-runtime.ts';
import { type Rkt, rktWith } from '../support/run-rkt.ts';

const id = '11111111-2222-4333-8444-555555555555';
const insecure = '--insecure-options=image';
let registry: TestRegistry;
let image: string;
let dir: string;
let runtime: FakeRuntime;
let rkt: Rkt;

beforeAll(async () => {
  ({ registry, image } = await demoRegistry({ Cmd: ['serve'] }));
});
afterAll(() => registry.close());
beforeEach(() => {
  ({ dir, runtime, rkt } = demoRkt());
});
afterEach(() => rmSync(dir, { recursive: true }));

describe('run --detach', () => {
  it.each([['--detach'], ['-d']])('with %s prints the UUID and leaves the pod to its monitor', async (flag) => {
    const { status, stdout } = await rkt(insecure, 'run', flag, image);
    expect([status, stdout]).toEqual([0, `${id}\n`]);
    expect(runtime.calls).toEqual(['prepare', 'createSandbox', 'addApp', 'startApp', 'detach']);
    expect(runtime.stdio).toBe('inherit');
    expect(runtime.monitor?.onExit).toEqual([...['/usr/bin/rkt', `--dir=${dir}/data`, 'release', '--app=demo', id]]);
    expect(runtime.keepsSandbox).toBe(false);
  });

  it('has the monitor remove the pod with --rm, and gives a terminal where there is one', async () => {
    await rkt.within(fakeIo({ tty: true }), insecure, 'run', '-d', '--rm', '--interactive', image);
    expect(runtime.stdio).toBe('tty');
    expect(runtime.monitor?.onExit?.slice(-4)).toEqual(['release', '--rm', '--app=demo', id]);
    expect(runtime.prepared[0]?.ephemeral).toBe(true);
  });

  it.each([['createSandbox'], ['startApp'], ['detach']])('that fails in %s takes down what there is', async (name) => {
    runtime.failing = { name, error: Object.assign(new Error('no'), { code: 'ERR_RKT_STAGE1_MONITOR_MISSING' }) };
    const { status, stdout, stderr } = await rkt(insecure, 'run', '-d', '--rm', image);
    expect([status, stdout]).toEqual([254, '']);
    expect(stderr).toMatch(/^run: no$/m);
    expect(runtime.calls.slice(-2)).toEqual(['stopSandbox', 'remove']);
  });

  it('tells the monitor what is to follow from the end of an app, and keeps what a restart needs', async () => {
    const flags = ['--on-app-failure=continue', '--restart=on-failure:3'];
    expect((await rkt(insecure, 'run', '-d', ...flags, image)).status).toBe(0);
    const told = ['release', '--restart=on-failure:3', '--on-app-failure=continue', '--app=demo', id];
    expect(runtime.monitor?.onExit?.slice(-5)).toEqual(told);
    expect(runtime.keepsSandbox).toBe(true);
  });

  it.each([
    [['--restart=always'], 'run: --restart has no effect without --detach\nhint: whoever runs rkt'],
    [['-d', '--rm', '--restart=always'], 'run: conflicting flags: --restart and --rm\n'],
    [['-d', '--restart=always:3'], 'run: invalid argument "always:3" for --restart=always:3: it must be no,'],
    [['-d', '--restart=sometimes'], 'run: invalid argument "sometimes" for --restart=sometimes: it must be no,'],
  ])('takes no %j', async (flags, message) => {
    const { status, stderr } = await rkt(insecure, 'run', ...flags, image);
    expect([status, runtime.calls]).toEqual([254, []]);
    expect(stderr).toContain(message);
  });

  it('works on a prepared pod', async () => {
    await rkt(insecure, 'prepare', image);
    expect(await rkt('run-prepared', '-d', id)).toMatchObject({ status: 0, stdout: `${id}\n` });
    expect(runtime.calls.at(-1)).toBe('detach');
  });
});

describe('release', () => {
  it('releases, and removes with --rm what has ended', async () => {
    runtime.pods.set(id, fakePod({ state: 'exited' }));
    expect(await rkt('release', id)).toEqual({ status: 0, stdout: '', stderr: '' });
    await rkt('release', '--rm', id);
    expect(runtime.calls).toEqual(['releaseEnded', 'releaseEnded', 'remove']);
  });

  const app = (name: string, rest: Partial<PodApp> = {}): PodApp => {
    return { name, imageId: 'sha512-0', state: 'exited', exitCode: 0, startedAt: 0, finishedAt: 20_000, ...rest };
  };
  const running = { state: 'running', exitCode: undefined } as unknown as Partial<PodApp>;

  it.each([
    ['has failed', {}, { exitCode: 3 }, ['two']],
    ['has failed, unless it is not to', { flags: ['--on-app-failure=continue'] }, { exitCode: 3 }, []],
    ['has ended well', {}, {}, []],
    ['was stopped', {}, { exitCode: 143, stopRequested: true }, []],
  ] as const)(
    'stops the other apps when one %s',
    async (_, { flags = [] }: { flags?: readonly string[] }, how, stopped) => {
      runtime.pods.set(id, fakePod({ apps: [app('one', how), app('two', running), app('three')] }));
      expect((await rkt('release', ...flags, '--app=one', id)).status).toBe(0);
      expect(runtime.stopped.map((each) => each.app)).toEqual(stopped);
      expect(runtime.released).toBe('one');
    },
  );

  it.each<[string, Partial<PodApp>, boolean]>([
    ['always', {}, true],
    ['unless-stopped', { exitCode: 1 }, true],
    ['always', { stopRequested: true }, false],
    ['on-failure', {}, false],
    ['on-failure', { exitCode: 1, restarts: 99 }, true],
    ['on-failure:2', { exitCode: 1, restarts: 1 }, true],
    ['on-failure:2', { exitCode: 1, restarts: 2 }, false],
    ['no', { exitCode: 1 }, false],
  ])('with --restart=%s starts %j again: %s', async (policy, how, isStarted) => {
    runtime.pods.set(id, fakePod({ apps: [app('one', { streams: { stdin: true, terminal: false }, ...how })] }));
    expect((await rkt('release', `--restart=${policy}`, '--app=one', id)).status).toBe(0);
    expect(runtime.calls).toEqual([isStarted ? 'startApp' : 'releaseEnded']);
    if (!isStarted) return;
    expect([runtime.again, runtime.stdio]).toEqual([true, 'interactive']);
    expect(runtime.monitor?.onExit?.slice(-4)).toEqual(['release', `--restart=${policy}`, '--app=one', id]);
  });

  it('waits longer each time an app does not last, with no process of rkt', async () => {
    runtime.pods.set(
      id,
      fakePod({ apps: [app('one', { exitCode: 1, finishedAt: 5, restarts: 9, restartsInARow: 5 })] }),
    );
    const io = fakeIo();
    expect((await rkt.within(io, 'release', '--restart=always', '--app=one', id)).status).toBe(0);
    expect([runtime.calls, io.later.map(({ delayMs }) => delayMs)]).toEqual([[], [3_200]]);
    const [{ command } = { command: [] }] = io.later;
    expect(command.slice(-5)).toEqual(['release', '--restart=always', '--app=one', id, '--due']);
    await rkt('release', '--restart=always', '--app=one', '--due', id);
    expect(runtime.calls).toEqual(['startApp']);
  });

  it('leaves the others alone when one is stopped while it waits to be started again', async () => {
    const pod = (how: Partial<PodApp>): Pod =>
      fakePod({ apps: [app('one', { exitCode: 1, ...how }), app('two', running)] });
    const answers = [pod({})];
    const inspect = async (): Promise<Pod> => answers.shift() ?? pod({ stopRequested: true });
    const stopped = rktWith(dir, { openRuntime: async () => ({ ...runtime, inspect }) });
    expect((await stopped('release', '--restart=always', '--app=one', id)).status).toBe(0);
    expect([runtime.calls, runtime.stopped]).toEqual([['releaseEnded'], []]);
  });

  it('begins with the end of what the app has left, be it started again or not', async () => {
    runtime.pods.set(id, fakePod({ apps: [app('one', { exitCode: 1 })] }));
    for (const policy of ['always', 'no']) await rkt('release', `--restart=${policy}`, '--app=one', id);
    expect(runtime.cleared).toEqual([
      { app: 'one', after: 0 },
      { app: 'one', after: 1 },
    ]);
    await rkt('release', id);
    expect(runtime.cleared).toHaveLength(2);
  });

  it('releases the pod of an app that cannot be started again', async () => {
    runtime.pods.set(id, fakePod({ state: 'exited', apps: [app('one', { exitCode: 1 })] }));
    runtime.failing = { name: 'startApp', error: new Error('no') };
    const { status, stderr } = await rkt('release', '--restart=always', '--app=one', id);
    expect([status, stderr]).toEqual([0, 'release: cannot start app "one" again: no\n']);
    expect(runtime.calls).toEqual(['startApp', 'releaseEnded']);
  });

  it('goes on when something of an app does not end, and says so', async () => {
    const error = Object.assign(new Error('processes do not end'), { code: 'ERR_RKT_STAGE1_CLEANUP_FAILED' });
    const endLeftovers = () => Promise.reject(error);
    runtime.pods.set(id, fakePod({ apps: [app('one', { exitCode: 1 }), app('two', running)] }));
    const undying = rktWith(dir, { openRuntime: async () => ({ ...runtime, endLeftovers }) });
    const { status, stderr } = await undying('release', '--on-app-failure=stop', '--app=one', id);
    expect([status, stderr]).toEqual([0, 'release: processes do not end\n']);
    expect(runtime.calls).toEqual(['stopApp', 'releaseEnded']);
  });

  it('leaves alone what runs, and does not mind what is gone', async () => {
    runtime.pods.set(id, fakePod());
    expect((await rkt('release', '--rm', id)).status).toBe(0);
    runtime.pods.clear();
    expect((await rkt('release', '--rm', id)).status).toBe(0);
    expect(runtime.calls).not.toContain('remove');
  });

  it('gives back what it has of the host itself when the pod it was to go on with is gone', async () => {
    runtime.pods.clear();
    expect((await rkt('release', '--restart=always', '--due', '--app=one', id)).status).toBe(0);
    expect(runtime.calls).toEqual(['releaseEnded']);
  });

  it('is nothing for people', async () => {
    expect((await rkt('help')).stdout).not.toMatch(/^ *rkt release/m);
    expect((await rkt('help')).stdout).toMatch(/^ *rkt logs/m);
  });
});

describe('wait', () => {
  it('prints the status when the app has ended', async () => {
    runtime.pods.set(id, fakePod());
    const waiting = rkt('wait', '1111');
    await vi.waitFor(() => expect(runtime.calls).toEqual(['waitApp']));
    runtime.exit(9);
    expect(await waiting).toEqual({ status: 0, stdout: '9\n', stderr: '' });
  });

  it('goes on after a pod there is not, and fails in the end', async () => {
    runtime.pods.set(id, fakePod());
    runtime.exit(0);
    const { status, stdout, stderr } = await rkt('wait', 'ffff', id);
    expect([status, stdout]).toEqual([254, '0\n']);
    expect(stderr).toContain('wait: no pod has an id that begins with "ffff", nor an app of that name\n');
  });
});

describe('kill', () => {
  beforeEach(() => void runtime.pods.set(id, fakePod()));

  it.each([
    [[], 'SIGKILL'],
    [['--signal=hup'], 'SIGHUP'],
    [['-s', '15'], 'SIGTERM'],
    [['--signal', 'SIGUSR1'], 'SIGUSR1'],
  ])('with %j sends %s', async (flags, signal) => {
    expect(await rkt('kill', ...flags, '--app=a', '1111')).toMatchObject({ status: 0, stdout: `"${id}"\n` });
    expect([runtime.calls, runtime.signals]).toEqual([['signalApp a'], [signal]]);
  });

  it.each([['SIGNOTHING'], ['0'], ['-1'], ['']])('knows no signal %j', async (signal) => {
    expect((await rkt('kill', `--signal=${signal}`, id)).status).toBe(254);
    expect(runtime.signals).toEqual([]);
  });
});

describe('stop', () => {
  it('says how long it waits, and takes no time that is none', async () => {
    runtime.pods.set(id, fakePod());
    expect((await rkt('stop', '-t', '2m', id)).stdout).toBe(`"${id}"\n`);
    expect((await rkt('stop', '--timeout=soon', id)).stderr).toContain('it must be a duration');
  });
});

describe('attach', () => {
  beforeEach(() => void runtime.pods.set(id, fakePod()));

  it('connects the streams, gives the terminal its size, and ends with the status of the app', async () => {
    const io = fakeIo({ tty: true, input: ['a\x10b', 'end'] });
    runtime.exit(4);
    expect(await rkt.within(io, 'attach', '--app=x', id)).toMatchObject({
      status: 4,
      stderr: 'attach: ctrl-p,ctrl-q leaves the app, which goes on\nready\n',
      stdout: 'a\x10bend',
    });
    expect([io.raw, runtime.calls]).toEqual([true, ['attach x', 'waitApp']]);
    // Before the output has been read: by its end a pod of --rm may be gone.
    expect(io.written.stdout).toBe('a\x10bend');
    expect(runtime.attachment.calls[0]).toBe('redraw');
    io.resize();
    expect(runtime.attachment.calls).not.toContain('fit');
  });

  it.each([
    [[], ['x\x10', '\x11never'], 'write x'],
    [['--detach-keys=ctrl-],z'], ['x\x10\x11\x1d\x1dz'], 'write x\x10\x11\x1d'],
  ])('with %j leaves the app when the keys are typed', async (flags, input, written) => {
    const io = fakeIo({ tty: true, input });
    expect(await rkt.within(io, 'attach', ...flags, id)).toMatchObject({ status: 0 });
    expect(runtime.attachment.calls).toEqual(['redraw', written, 'close']);
    expect(runtime.calls).toEqual(['attach ', 'waitApp']);
  });

  it.each([
    [{}, []],
    [{ tty: true }, ['--detach-keys=']],
  ])('has no such keys with %j %j', async (terminal, flags) => {
    runtime.exit(0);
    await rkt.within(fakeIo({ ...terminal, input: ['\x10\x11end'] }), 'attach', ...flags, id);
    expect(runtime.attachment.calls).toContain('write \x10\x11end');
  });

  it('ends with the status of an app whose pod is gone when its output has been read', async () => {
    const attached = rkt.within(fakeIo(), 'attach', '--no-stdin', id);
    await vi.waitFor(() => expect(runtime.calls).toContain('waitApp'));
    runtime.exit(5);
    runtime.pods.clear();
    runtime.attachment.close();
    expect((await attached).status).toBe(5);
  });

  it('passes signals on', async () => {
    const io = fakeIo();
    const attached = rkt.within(io, 'attach', '--no-stdin', id);
    await vi.waitFor(() => expect(io.written.stderr).toBe('ready\n'));
    io.send('SIGINT');
    expect([runtime.signals, io.raw]).toEqual([['SIGINT'], undefined]);
    runtime.attachment.close();
    runtime.exit(130);
    expect((await attached).status).toBe(130);
  });

  it('tells how to get out of an app that goes on after a signal, and leaves it at the third', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const io = fakeIo();
      const attached = rkt.within(io, 'attach', '--no-stdin', id);
      await vi.waitFor(() => expect(io.written.stderr).toBe('ready\n'));
      io.send('SIGHUP');
      vi.advanceTimersByTime(5_000);
      expect(io.written.stderr).toBe('ready\n');
      io.send('SIGINT');
      io.send('SIGTERM');
      vi.advanceTimersByTime(5_000);
      const told = `attach: the app goes on after SIGINT: the third signal leaves it, rkt stop --force ${id} kills it\n`;
      expect(io.written.stderr).toBe(`ready\n${told}`);
      io.send('SIGINT');
      expect((await attached).status).toBe(0);
      expect(runtime.signals).toEqual(['SIGHUP', 'SIGINT', 'SIGTERM']);
    } finally {
      vi.useRealTimers();
    }
  });

  it.each([[['--no-stdin']], [['--detach-keys=']]])(
    'with %j tells of no keys that would leave the app',
    async (flags) => {
      runtime.exit(0);
      const attached = rkt.within(fakeIo({ tty: true, input: ['end'] }), 'attach', ...flags, id);
      if (flags[0] === '--no-stdin') runtime.attachment.close();
      expect((await attached).stderr).toBe('ready\n');
    },
  );

  it('leaves the app at a signal where that is not to be passed on', async () => {
    const io = fakeIo();
    const attached = rkt.within(io, 'attach', '--sig-proxy=false', id);
    await vi.waitFor(() => expect(io.written.stderr).toBe('ready\n'));
    io.send('SIGINT');
    expect((await attached).status).toBe(0);
    expect(runtime.signals).toEqual([]);
  });

  it.each([['ctrl-'], ['ctrl-1'], ['ab'], ['a,,b'], ['\x1b']])('refuses keys %j', async (keys) => {
    expect((await rkt('attach', `--detach-keys=${keys}`, id)).status).toBe(254);
    expect(runtime.calls).toEqual([]);
  });
});

describe('logs', () => {
  const entry = (text: string, rest: Partial<LogEntry> = {}): LogEntry => {
    return { time: '2026-01-02T03:04:05.6+00:00', stream: 'stdout', bytes: Buffer.from(text), partial: false, ...rest };
  };
  beforeEach(() => {
    runtime.pods.set(id, fakePod());
    runtime.log = [entry('par', { partial: true }), entry('oops\n', { stream: 'stderr' }), entry('tial\x1b[1m\n')];
  });

  it('prints what the app wrote where it wrote it, as it is', async () => {
    expect(await rkt('logs', id)).toEqual({ status: 0, stdout: 'partial\x1b[1m\n', stderr: 'oops\n' });
    expect(runtime.logOptions).toMatchObject({ follow: false, tail: undefined, since: undefined, app: undefined });
  });

  it('has a time before every line with --timestamps, and no second one in it', async () => {
    const { stdout, stderr } = await rkt('logs', '-t', id);
    expect(stdout).toBe('2026-01-02T03:04:05.6+00:00 partial\x1b[1m\n');
    expect(stderr).toBe('2026-01-02T03:04:05.6+00:00 oops\n');
  });

  it('asks for a range', async () => {
    await rkt('logs', '-n', '5', '--since=1m30s', '--app=a', id);
    expect(runtime.logOptions).toMatchObject({ tail: 5, since: Date.UTC(2026, 0, 2, 3, 2, 35), app: 'a' });
    await rkt('logs', '--tail=all', '--since=2026-01-02T00:00:00Z', id);
    expect(runtime.logOptions).toMatchObject({ tail: undefined, since: Date.UTC(2026, 0, 2) });
  });

  it.each([['--tail=-1'], ['--tail=few'], ['--since=yesterday'], ['--since=2026-13-01']])(
    'refuses %s',
    async (flag) => {
      expect((await rkt('logs', flag, id)).status).toBe(254);
      expect(runtime.logOptions).toBeUndefined();
    },
  );

  it('is followed until it is interrupted, which is no failure to be told', async () => {
    const io = fakeIo();
    const following = rkt.within(io, 'logs', '-f', id);
    await vi.waitFor(() => expect(io.written.stdout).toContain('tial'));
    expect(io.send('SIGINT')).toBe(true);
    expect(await following).toMatchObject({ status: 130, stderr: 'oops\n' });
  });
});

describe('health checks', () => {
  const checked = (status: Health['status']): Pod =>
    fakePod({
      apps: [{ name: 'web', imageId: 'sha512-0', state: 'running', startedAt: 1, health: { status, failures: 2 } }],
    });

  it('are executed by rkt health, unless they are not to be', async () => {
    await rkt(insecure, 'run', '-d', image);
    expect(runtime.healthCheck).toEqual(['/usr/bin/rkt', `--dir=${dir}/data`, 'health', '--app=demo', id]);
    await rkt(insecure, 'run', '-d', '--no-healthcheck', image);
    expect(runtime.healthCheck).toBeUndefined();
    expect(runtime.monitor?.onExit).toContain('--no-healthcheck');
  });

  it('go on after one that fails, and end with the app, or where there is nothing to check', async () => {
    runtime.health = { status: 'unhealthy', failures: 3 };
    expect(await rkt('health', '--app=web', id)).toEqual({ status: 0, stdout: '', stderr: '' });
    runtime.health = undefined;
    expect((await rkt('health', id)).status).toBe(3);
    const code = 'ERR_RKT_STAGE1_APP_NOT_RUNNING';
    runtime.failing = { name: 'checkHealth web', error: Object.assign(new Error('no'), { code }) };
    expect((await rkt('health', '--app=web', id)).status).toBe(3);
    runtime.failing = { name: 'checkHealth web', error: new Error('no') };
    expect((await rkt('health', '--app=web', id)).status).toBe(254);
  });

  it('are seen in list and status, and waited for', async () => {
    runtime.pods.set(id, checked('unhealthy'));
    expect((await rkt('list', '--no-legend')).stdout).toContain('\trunning (unhealthy)\t');
    expect((await rkt('status', id)).stdout).toContain('app-web-health=unhealthy\n');
    expect((await rkt('app', 'status', id)).stdout).toContain('health=unhealthy\n');
    const [json] = JSON.parse((await rkt('list', '--format=json')).stdout);
    expect(json.apps[0].health).toEqual({ status: 'unhealthy', failures: 2 });
    const waiting = rkt('wait', '--condition=healthy', id);
    setTimeout(() => runtime.pods.set(id, checked('healthy')), 50);
    expect(await waiting).toEqual({ status: 0, stdout: '', stderr: '' });
    runtime.pods.set(id, { ...checked('healthy'), state: 'exited' });
    expect(await rkt('wait', '--condition=healthy', id)).toMatchObject({
      status: 254,
      stderr: expect.stringContaining(`pod "${id}" ended before it was healthy\n`),
    });
  });
});
