// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestRegistry } from '@rkt/registry/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { demoRegistry, demoRkt } from '../support/demo-rkt.ts';
import { fakeIo } from '../support/fake-io.ts';
import { type FakeRuntime, fakePod } from '../support/fake-runtime.ts';
import { type Rkt, rktWith } from '../support/run-rkt.ts';

const insecure = '--insecure-options=image';
let registry: TestRegistry;
let image: string;
let dir: string;
let runtime: FakeRuntime;
let rkt: Rkt;

beforeAll(async () => {
  ({ registry, image } = await demoRegistry({
    Entrypoint: ['/entry'],
    Cmd: ['serve'],
    ExposedPorts: { '80/tcp': {} },
  }));
});
afterAll(() => registry.close());

beforeEach(() => {
  ({ dir, runtime, rkt } = demoRkt());
});
afterEach(() => rmSync(dir, { recursive: true }));

/** Lets a run go on until the app was started. */
async function started(): Promise<void> {
  while (!runtime.calls.includes('startApp')) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** A command of docker's, and the beginning of what is said of it: not the list of commands. */
function isTold(command: string): [argv: string[], message: string] {
  return [[command, 'x'], `rkt: unknown command "${command}" for "rkt"\nhint: `];
}

describe('run', () => {
  it('fetches, prepares, starts, waits and takes down; the status is that of the app', async () => {
    const running = rkt(insecure, 'run', '--port=80-tcp:8080', '--hostname=web', image, '--', 'other');
    await started();
    runtime.exit(7);
    const { status, stdout, stderr } = await running;
    expect([status, stdout]).toEqual([7, '']);
    expect(stderr).toContain(`rkt: fetching image from ${image}\n`);
    expect(runtime.calls).toEqual(['prepare', 'createSandbox', 'addApp', 'startApp', 'stopSandbox']);
    const [{ manifest, rootfs, sandbox } = {}] = runtime.prepared;
    expect(manifest?.apps[0]).toMatchObject({ name: 'demo', app: { exec: ['/entry', 'other'] } });
    expect(manifest?.ports).toEqual([{ name: '80-tcp', hostPort: 8080 }]);
    expect(rootfs?.['demo']).toMatchObject({ type: 'directory' });
    expect(sandbox).toMatchObject({ networks: [{ name: 'default' }], hostname: 'web' });
  });

  it('by an ID needs neither network nor flag', async () => {
    const { stdout } = await rkt(insecure, 'fetch', image);
    const asked = registry.requests.length;
    const running = rkt('run', '--net=host', stdout.trim().slice(0, 11));
    await started();
    runtime.exit(0);
    expect(await running).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(registry.requests).toHaveLength(asked);
  });

  it('keeps the image for as long as the pod has a directory', async () => {
    const running = rkt(insecure, 'run', image);
    await started();
    runtime.exit(0);
    await running;
    const id = runtime.prepared[0]?.manifest.apps[0]?.image.id ?? '';
    const pod = join(dir, 'data/pods/exited-garbage/11111111-2222-4333-8444-555555555555');
    mkdirSync(dirname(pod));
    renameSync(join(dir, 'data/pods/embryo/11111111-2222-4333-8444-555555555555'), pod);
    expect((await rkt('image', 'rm', id)).stderr).toContain(`${id} is in use by ${pod}\n`);
    expect(await rkt('image', 'rm', '--all')).toEqual({
      status: 0,
      stdout: '',
      stderr: `rm: not removed: image ${id} is in use by ${pod}\n`,
    });
    rmSync(pod, { recursive: true });
    expect((await rkt('image', 'rm', id)).status).toBe(0);
  });

  it('passes signals to the app and does not end before it', async () => {
    const io = fakeIo();
    const running = rkt.within(io, insecure, 'run', image);
    await started();
    await new Promise((resolve) => setTimeout(resolve, 5));
    io.send('SIGTERM');
    io.send('SIGINT');
    expect(runtime.signals).toEqual(['SIGTERM', 'SIGINT']);
    runtime.exit(143);
    expect((await running).status).toBe(143);
  });

  it('says after a second that an app has not ended after a signal', async () => {
    const io = fakeIo();
    const running = rkt.within(io, insecure, 'run', image);
    await started();
    await new Promise((resolve) => setTimeout(resolve, 5));
    io.send('SIGINT');
    expect(io.written.stderr).not.toContain('waiting');
    await vi.waitFor(() => expect(io.written.stderr).toContain('waiting'), { timeout: 3_000 });
    runtime.exit(130);
    const { status, stderr } = await running;
    expect(status).toBe(130);
    expect(stderr).toMatch(/^run: waiting for the app to end after SIGINT \(the third signal kills it\)$/m);
  });

  it('kills an app that does not end after the third signal', async () => {
    const io = fakeIo();
    const running = rkt.within(io, insecure, 'run', image);
    await started();
    await new Promise((resolve) => setTimeout(resolve, 5));
    for (let count = 0; count < 3; count += 1) io.send('SIGTERM');
    expect(await running).toMatchObject({ status: 137, stderr: expect.stringContaining('killing it') });
    expect(runtime.calls).toContain('stopApp');
  });

  it('removes the pod with --rm once it has ended, and forgets what its images were kept for', async () => {
    const running = rkt(insecure, 'run', '--rm', image);
    await started();
    const directory = join(dir, 'data/pods/embryo/11111111-2222-4333-8444-555555555555');
    rmSync(directory, { recursive: true });
    runtime.exit(7);
    expect(await running).toMatchObject({ status: 7, stdout: '' });
    expect(runtime.prepared[0]?.ephemeral).toBe(true);
    expect(runtime.calls.slice(-2)).toEqual(['stopSandbox', 'remove']);
    const id = runtime.prepared[0]?.manifest.apps[0]?.image.id ?? '';
    // What is there again is another pod's.
    mkdirSync(directory);
    expect((await rkt('image', 'rm', id)).status).toBe(0);
  });

  it.each([['createSandbox'], ['addApp'], ['startApp']])(
    'removes the pod with --rm also when %s fails',
    async (name) => {
      const error = Object.assign(new Error('no such program'), { code: 'ERR_RKT_STAGE1_EXEC_NOT_FOUND' });
      runtime.failing = { name, error };
      const { status, stderr } = await rkt(insecure, 'run', '--rm', image);
      expect([status, stderr.split('\n').filter((line) => line.startsWith('run: '))]).toEqual([
        254,
        ['run: no such program'],
      ]);
      expect(runtime.calls.slice(-2)).toEqual(['stopSandbox', 'remove']);
      expect(runtime.pods.size).toBe(0);
    },
  );

  it('tells when the pod cannot be removed, and ends as the app did', async () => {
    runtime.failing = { name: 'remove', error: new Error('a reason') };
    const running = rkt(insecure, 'run', '--rm', image);
    await started();
    runtime.exit(3);
    const { status, stderr } = await running;
    expect(status).toBe(3);
    expect(stderr).toMatch(/^run: cannot remove pod ".*" \(rkt gc will try again\): a reason$/m);
  });

  it('takes the pod down whatever signals come meanwhile, and ends as the app did', async () => {
    const io = fakeIo();
    const down = Promise.withResolvers<void>();
    const stopSandbox = async (): Promise<void> => {
      runtime.calls.push('stopSandbox');
      await down.promise;
    };
    const run = rktWith(dir, {
      openRuntime: async () => ({ ...runtime, stopSandbox }),
      probeErofs: async () => ({ usable: false, reason: 'a test' }) as const,
    });
    const running = run.within(io, insecure, 'run', '--rm', image);
    await started();
    runtime.exit(7);
    await vi.waitFor(() => expect(runtime.calls).toContain('stopSandbox'));
    expect([io.send('SIGINT'), io.send('SIGTERM'), io.send('SIGTERM')]).toEqual([true, true, true]);
    down.resolve();
    expect((await running).status).toBe(7);
    expect(runtime.calls.at(-1)).toBe('remove');
  });

  it.each([
    [{ tty: true }, [], 'inherit'],
    [{ tty: true }, ['--interactive'], 'tty'],
    [{ tty: false }, ['--interactive'], 'interactive'],
  ] as const)('connects the streams: %j %j is %s', async (terminal, flags, stdio) => {
    const running = rkt.within(fakeIo(terminal), insecure, 'run', ...flags, image);
    await started();
    runtime.exit(0);
    await running;
    expect(runtime.stdio).toBe(stdio);
  });

  it('gives the terminal of an app the size of the one it is called from, then and later', async () => {
    const io = fakeIo({ tty: true });
    const running = rkt.within(io, insecure, 'run', '--interactive', image);
    await started();
    await vi.waitFor(() => expect(runtime.signals).toEqual(['SIGWINCH']));
    io.resize();
    expect(runtime.signals).toEqual(['SIGWINCH', 'SIGWINCH']);
    runtime.exit(0);
    await running;
    io.resize();
    expect(runtime.signals).toHaveLength(2);
  });

  it.each([
    ['createSandbox', ['stopSandbox', 'remove']],
    ['addApp', ['addApp', 'stopSandbox']],
    ['startApp', ['startApp', 'stopSandbox']],
  ])('that fails in %s takes down what there is', async (name, last) => {
    const error = Object.assign(new Error('no such program'), { code: 'ERR_RKT_STAGE1_EXEC_NOT_FOUND' });
    runtime.failing = { name, error };
    const { status, stdout, stderr } = await rkt(insecure, 'run', image);
    expect([status, stdout]).toEqual([254, '']);
    expect(stderr).toContain('run: no such program\n');
    expect(runtime.calls.slice(-2)).toEqual(last);
  });

  it('that cannot save the UUID leaves no pod waiting to be run', async () => {
    const { status, stderr } = await rkt(insecure, 'run', `--uuid-file-save=${dir}/none/uuid`, image);
    expect([status, runtime.calls]).toEqual([254, ['prepare', 'remove']]);
    expect(stderr).toContain('/none/uuid": no such file or directory\n');
  });

  it('tells the failure and then what could not be taken down', async () => {
    const run = rktWith(dir, {
      openRuntime: async () => ({
        ...runtime,
        startApp: () => Promise.reject(Object.assign(new Error('first'), { code: 'ERR_RKT_STAGE1_RUNTIME_FAILED' })),
        stopSandbox: () => Promise.reject(new Error('second')),
      }),
    });
    const { status, stderr } = await run(insecure, '--tree-backend=directory', 'run', image);
    expect(status).toBe(254);
    expect(stderr).toMatch(/^run: cannot take down pod ".*" \(rkt gc will try again\): second\nrun: first$/m);
  });

  it('does not say that a pod is to be taken down which is gone', async () => {
    const gone = Object.assign(new Error('gone'), { code: 'ERR_RKT_STAGE1_POD_NOT_FOUND' });
    const run = rktWith(dir, {
      openRuntime: async () => ({
        ...runtime,
        createSandbox: () =>
          Promise.reject(Object.assign(new Error('first'), { code: 'ERR_RKT_STAGE1_RUNTIME_FAILED' })),
        stopSandbox: () => Promise.reject(gone),
        inspect: () => Promise.reject(gone),
      }),
    });
    const { status, stderr } = await run(insecure, '--tree-backend=directory', 'run', image);
    expect(status).toBe(254);
    expect(stderr).not.toMatch(/take down|cannot remove/);
    expect(stderr).toMatch(/^run: first$/m);
  });

  it('ends as the app did also when the pod cannot be taken down', async () => {
    runtime.failing = { name: 'stopSandbox', error: new Error('no') };
    const running = rkt(insecure, 'run', image);
    await started();
    runtime.exit(3);
    const { status, stderr } = await running;
    expect(status).toBe(3);
    expect(stderr).toMatch(/^run: cannot take down pod ".*" \(rkt gc will try again\): no$/m);
  });

  it('leaves no UUID of a pod that came to nothing, and that of one that failed', async () => {
    const file = join(dir, 'uuid');
    const error = Object.assign(new Error('no such program'), { code: 'ERR_RKT_STAGE1_EXEC_NOT_FOUND' });
    runtime.failing = { name: 'startApp', error };
    await rkt(insecure, 'run', '--rm', `--uuid-file-save=${file}`, image);
    expect(existsSync(file)).toBe(false);
    await rkt(insecure, 'run', `--uuid-file-save=${file}`, image);
    expect(existsSync(file)).toBe(true);
  });

  it('saves the UUID', async () => {
    const file = join(dir, 'uuid');
    const running = rkt(insecure, 'run', `--uuid-file-save=${file}`, image);
    await started();
    runtime.exit(0);
    await running;
    expect(readFileSync(file, 'utf8')).toBe('11111111-2222-4333-8444-555555555555');
  });

  it.each([
    [['run'], 'run: must provide at least one image or specify the pod manifest\n'],
    [
      ['run', '--interactive', 'docker://a', 'docker://b'],
      'run: interactive option only supports one image: the pod has 2 apps\n',
    ],
    [
      ['run', '-it', 'docker://a', 'sh'],
      'run: interactive option only supports one image: the pod has 2 apps\nhint: arguments of the app go after --: rkt run docker://a -- sh\n',
    ],
    [['run', '--on-app-failure=no', 'docker://a'], 'run: invalid argument "no" for --on-app-failure=no'],
    [['run', '--net=none', '--port=a:1', 'docker://a'], "run: --port flag does not work with 'none' networking\n"],
    [
      ['run', '--exec=/x', 'docker://a', 'docker://b'],
      'run: flag --exec must follow an image\nhint: the form is IMAGE --exec=PATH -- ARGS\n',
    ],
    [
      ['run', 'docker://a', 'echo', 'hi'],
      'run: no image "echo" in the store\nhint: arguments of the app go after --: rkt run docker://a -- echo hi\n',
    ],
    [
      ['run', '--net', 'none', 'docker://a'],
      'run: no image "none" in the store\nhint: join the value with =: --net=none\n',
    ],
    [['run', 'docker://a', 'x y', '--z'], 'run: unknown flag: --z\n'],
    [
      ['run', 'docker://a', '--', 'x', '---', 'b'],
      'run: no image "b" in the store\nhint: for a Docker image write docker://b\n',
    ],
    [
      ['run', '-v', 'data:/b', 'docker://a'],
      'run: invalid argument "data:/b" for --volume=data:/b: volumes are kept in',
    ],
    [['run', '--memory=512q', 'docker://a'], 'run: invalid argument "512q" for --memory=512q: it must be a number of'],
    [
      ['run', '--cap-add=NET_ADMIN', 'docker://a'],
      'run: unknown flag: --cap-add\nhint: capabilities are kept or taken',
    ],
    [
      ['run', '-p80x', 'docker://a'],
      'run: invalid argument "80x" for --publish=80x: it must be [[HOSTIP:][HOSTPORT]:]PORT',
    ],
    [['run', '-P', 'docker://a'], 'run: unknown flag: -P\nhint: ports are forwarded one by one: -p HOSTPORT:PORT'],
    [['exec', '-d', 'x', 'sh'], 'exec: unknown flag: -d\nhint: what is to go on by itself is put into the background'],
    [['exec', '-e', 'A', 'x', 'sh'], 'exec: invalid argument "A" for --env=A: it must be specified as key=value'],
    [['exec', '-u', 'a:b:c', 'x', 'sh'], 'exec: invalid argument "a:b:c" for --user=a:b:c: it must be USER or'],
    [
      ['exec', '-w', 'tmp', 'x', 'sh'],
      'exec: invalid argument "tmp" for --working-dir=tmp: it must be an absolute path',
    ],
    [['run', '--init', 'docker://a'], 'run: unknown flag: --init\nhint: the first process of an app is the app itself'],
    [
      ['run', '--device=/dev/fuse', 'docker://a'],
      'run: unknown flag: --device\nhint: an app has no devices of the host',
    ],
    [['inspect', '-f', '{{.State}}', 'x'], 'inspect: unknown flag: -f\nhint: members are picked out of JSON'],
    [
      ['inspect', '--format={{.State}}', 'x'],
      'inspect: invalid argument "{{.State}}" for --format={{.State}}: it must be one of "json", "json-pretty"\nhint: members',
    ],
    [['compose', 'up'], 'rkt: unknown command "compose" for "rkt"\nhint: apps that belong together are one pod'],
    [['ps', '--filter=status=running'], 'ps: unknown flag: --filter\nhint: pods are picked out of JSON'],
    [
      ['run', '--name=My_App', 'docker://a'],
      'run: invalid argument "My_App" for --name=My_App: it has "M", "_", "A", and may only have lower-case letters, digits and inner "-": my-app, for instance\n',
    ],
    [['run', '--name=-', 'docker://a'], 'run: invalid argument "-" for --name=-: it may only have lower-case letters'],
    [
      ['run', '--volume=My_Data,kind=empty', 'docker://a'],
      'run: invalid argument "My_Data,kind=empty" for --volume=My_Data,kind=empty: it has "M", "_", "D", and may',
    ],
    [['rm', '-a'], 'rm: unknown flag: -a\nhint: all pods that have ended are removed by rkt gc --grace-period=0s\n'],
    [['image', 'rm', '-f', 'x'], 'rm: unknown flag: -f\nhint: an image can be removed when the pods that use it are'],
    [['-q', 'fetch', 'x'], 'rkt: unknown flag: -q\nhint: it goes after the command: rkt COMMAND -q\n'],
    [['--mark-only', 'gc'], 'rkt: unknown flag: --mark-only\nhint: it goes after the command: rkt gc --mark-only\n'],
    [
      ['prepare', 'docker://a', 'sh', '-c', 'x'],
      "prepare: unknown flag: -c\nhint: run 'rkt help prepare' for usage; arguments of the app go after --: rkt prepare",
    ],
    [['gc', '--rm'], "gc: unknown flag: --rm\nhint: run 'rkt help gc' for usage\n"],
    [
      ['load', '-i', 'x.tar'],
      'rkt: unknown command "load" for "rkt"\nhint: images are read from files by rkt fetch docker-archive:FILE\n',
    ],
    ...['build', 'commit', 'container', 'cp', 'create', 'events', 'import', 'info', 'login', 'logout', 'network'].map(
      isTold,
    ),
    ...['pause', 'port', 'push', 'rename', 'restart', 'save', 'search', 'start', 'stats', 'system', 'tag'].map(isTold),
    ...['top', 'unpause', 'update', 'volume'].map(isTold),
  ])('%j asks nobody and makes nothing', async (argv, message) => {
    const asked = registry.requests.length;
    const { status, stderr } = await rkt(insecure, ...argv);
    expect([status, stderr.startsWith(message)], stderr).toEqual([254, true]);
    expect(stderr).not.toContain("run 'rkt help' for usage");
    expect([registry.requests.length, runtime.calls]).toEqual([asked, []]);
  });
});

describe('a file among the images', () => {
  it('that is no ACI was most likely meant for the app', async () => {
    const asked = registry.requests.length;
    const { status, stderr } = await rkt(insecure, 'run', image, '/bin/sh');
    expect([status, runtime.calls, registry.requests.length]).toEqual([254, [], asked]);
    expect(stderr).toContain(`hint: arguments of the app go after --: rkt run ${image} -- /bin/sh\n`);
  });
});

describe('prepare and run-prepared', () => {
  it('do together what run does', async () => {
    const { stdout } = await rkt(insecure, 'prepare', '--quiet', image);
    expect(runtime.calls).toEqual(['prepare']);
    const running = rkt('run-prepared', stdout.slice(0, 8));
    await started();
    runtime.exit(5);
    expect((await running).status).toBe(5);
    expect(runtime.calls).toEqual(['prepare', 'createSandbox', 'addApp', 'startApp', 'stopSandbox']);
  });

  it.each([[[]], [['--rm']], [['--detach']], [['--detach', '--rm']]])(
    'with %j leaves alone what another runs',
    async (flags) => {
      const { stdout } = await rkt(insecure, 'prepare', '--quiet', image);
      const error = Object.assign(new Error('no'), { code: 'ERR_RKT_STAGE1_POD_NOT_PREPARED' });
      runtime.failing = { name: 'createSandbox', error };
      expect((await rkt('run-prepared', ...flags, stdout.trim())).status).toBe(254);
      expect(runtime.calls).toEqual(['prepare', 'createSandbox']);
    },
  );

  it('removes the pod with --rm', async () => {
    const { stdout } = await rkt(insecure, 'prepare', '--quiet', image);
    runtime.calls.length = 0;
    const running = rkt('run-prepared', '--rm', stdout.trim());
    await started();
    runtime.exit(5);
    expect((await running).status).toBe(5);
    expect(runtime.calls).toEqual(['createSandbox', 'addApp', 'startApp', 'stopSandbox', 'remove']);
  });

  it('are run with other networks, names and resolvers than they were prepared with', async () => {
    await rkt(insecure, 'prepare', '--port=1-tcp:2', image);
    const { id } = fakePod();
    expect(await rkt('run-prepared', '--net=none', id)).toMatchObject({
      status: 254,
      stderr: expect.stringContaining("a pod with forwarded ports does not work with 'none' networking"),
    });
    const running = rkt('run-prepared', '--net=lan:IP=10.1.0.9', '--hostname=two', '--dns=none', id);
    await started();
    runtime.exit(0);
    expect((await running).status).toBe(0);
    expect(runtime.spec).toEqual({
      networks: [{ name: 'lan', args: 'IP=10.1.0.9' }],
      hostname: 'two',
      dns: { mode: 'none' },
    });
  });

  it('run only what is prepared', async () => {
    await rkt(insecure, 'prepare', image);
    const [pod] = runtime.pods.values();
    if (pod !== undefined) runtime.pods.set(pod.id, { ...pod, state: 'exited' });
    const { status, stderr } = await rkt('run-prepared', pod?.id ?? '');
    expect([status, stderr]).toEqual([254, `run-prepared: pod "${pod?.id}" is not prepared\n`]);
  });
});
