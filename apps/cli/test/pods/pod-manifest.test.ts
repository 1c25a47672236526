// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ImageManifest } from '@rkt/appc';
import { describe, expect, it } from 'vitest';
import { readImageRequests } from '../../src/args/image-requests.ts';
import { runFlags } from '../../src/args/run-flags.ts';
import { readPodEnvironment } from '../../src/pods/pod-environment.ts';
import { podManifest } from '../../src/pods/pod-manifest.ts';
import { argumentsOf } from '../support/flags.ts';

const id = `sha512-${'ab'.repeat(64)}` as const;
const docker: ImageManifest = {
  acKind: 'ImageManifest',
  acVersion: '0.8.11',
  name: 'registry-1.docker.io/library/redis',
  labels: [{ name: 'os', value: 'linux' }],
  app: {
    exec: ['/entry', 'redis-server'],
    user: 'redis',
    group: 'redis',
    workingDirectory: '/data',
    environment: [
      { name: 'PATH', value: '/bin' },
      { name: 'A', value: 'image' },
    ],
    mountPoints: [{ name: 'volume-data', path: '/data' }],
    ports: [{ name: '6379-tcp', protocol: 'tcp', port: 6379, count: 1, socketActivated: false }],
    isolators: [{ name: 'resource/memory', value: { limit: '1G' } }],
  },
  annotations: [
    { name: 'appc.io/docker/entrypoint', value: '["/entry"]' },
    { name: 'appc.io/docker/cmd', value: '["redis-server"]' },
  ],
};

interface Options {
  readonly manifest?: ImageManifest;
  readonly appendArguments?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

function manifestOf(argv: readonly string[], options: Options = {}) {
  const args = argumentsOf('run', ...argv);
  const manifest = options.manifest ?? docker;
  const image = {
    id,
    name: `${manifest.name}:7`,
    importedAt: 0,
    lastUsedAt: 0,
    size: 0,
    names: [],
    layers: [],
    acis: [],
    platform: undefined,
    manifest,
    manifestBytes: new Uint8Array(),
  };
  return podManifest({
    flags: args.flags,
    apps: readImageRequests(args.parts, runFlags).map((request) => ({ image, request })),
    environment: readPodEnvironment(args.flags, options.env ?? {}),
    appendArguments: options.appendArguments ?? false,
  });
}

function appOf(argv: readonly string[], options?: Options) {
  const [app] = manifestOf(argv, options).apps;
  if (app === undefined) throw new Error('no app');
  return app;
}

describe('what an app says about itself', () => {
  it('is of the image and of the command line, which wins', () => {
    const app = { exec: ['/x'], user: '0', group: '0', userLabels: { a: 'image', b: 'image' } };
    const manifest: ImageManifest = { ...docker, app, annotations: [{ name: 'a', value: 'image' }] };
    const given = ['--annotation=a=1', '--annotation=c/d=2=3', '--user-label=a=own', '--user-annotation=K y=v'];
    const { annotations, app: made } = appOf(['x', ...given], { manifest });
    expect(annotations).toEqual([
      { name: 'a', value: '1' },
      { name: 'c/d', value: '2=3' },
    ]);
    expect([made.userLabels, made.userAnnotations]).toEqual([{ a: 'own', b: 'image' }, { 'K y': 'v' }]);
    expect(() => appOf(['x', '--annotation=A=1'])).toThrow('annotation name "A" is not an AC Identifier');
  });
});

describe('isolators of the command line', () => {
  it('take the place of those of the image', () => {
    const isolators = [{ name: 'os/linux/seccomp-remove-set', value: { set: ['chmod'] } }];
    const manifest: ImageManifest = { ...docker, app: { exec: ['/x'], user: '0', group: '0', isolators } };
    const flags = ['--seccomp=mode=retain,errno=EPERM,@docker/default-whitelist,open', '--oom-score-adj=-5'];
    expect(appOf(['x', ...flags], { manifest }).app.isolators).toEqual([
      { name: 'os/linux/oom-score-adj', value: -5 },
      {
        name: 'os/linux/seccomp-retain-set',
        value: { set: ['@docker/default-whitelist', 'open'], errno: 'EPERM' },
      },
    ]);
  });

  it.each([
    ['--seccomp=open', 'it must begin with mode=retain or mode=remove'],
    ['--seccomp=mode=retain', 'it must name at least one system call or set'],
    ['--seccomp=mode=remove,O_PEN', '"O_PEN" is neither a system call nor a set'],
    ['--oom-score-adj=1001', 'it must be a whole number from -1000 to 1000'],
    ['--oom-score-adj=x', 'it must be a whole number from -1000 to 1000'],
  ])('%s is refused', (flag, reason) => {
    expect(() => appOf(['x', flag])).toThrow(reason);
  });
});

describe('the pod manifest of several images', () => {
  it('has an app for each, with its own flags and those of the pod, in their order', () => {
    const { apps, volumes } = manifestOf([
      ...['--set-env=POD=1', '--volume=shared,kind=empty', '--mount=volume=shared,target=/shared'],
      ...['x', '--name=a', '--user=5', '--environment=A=own', '--', 'one', '---'],
      ...['x', '--name=b', '--memory=16Mi', '--mount=volume=shared,target=/b', '--', 'two'],
    ]);
    expect(apps.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(apps.map(({ app }) => app.exec)).toEqual([
      ['/entry', 'one'],
      ['/entry', 'two'],
    ]);
    expect(apps.map(({ app }) => [app.user, app.group])).toEqual([
      ['5', '5'],
      ['redis', 'redis'],
    ]);
    expect(
      apps.map(({ app }) => Object.fromEntries(app.environment?.map(({ name, value }) => [name, value]) ?? [])),
    ).toEqual([
      { PATH: '/bin', A: 'own', POD: '1' },
      { PATH: '/bin', A: 'image', POD: '1' },
    ]);
    expect(apps.map(({ app }) => app.isolators?.[0]?.value)).toEqual([{ limit: '1G' }, { limit: '16Mi' }]);
    expect(apps.map(({ mounts }) => mounts)).toEqual([
      [{ volume: 'shared', path: '/shared' }],
      [
        { volume: 'shared', path: '/shared' },
        { volume: 'shared', path: '/b' },
      ],
    ]);
    expect(volumes).toEqual([{ name: 'shared', kind: 'empty' }]);
  });

  it('of which two have the same name is refused', () => {
    expect(() => manifestOf(['x', 'x'])).toThrow('multiple apps with name "redis"');
  });
});

describe('the pod manifest', () => {
  it('of an image alone is the image', () => {
    expect(manifestOf(['x'])).toEqual({
      acVersion: '0.8.11',
      acKind: 'PodManifest',
      apps: [
        {
          name: 'redis',
          image: {
            name: 'registry-1.docker.io/library/redis',
            id,
            labels: [
              { name: 'os', value: 'linux' },
              { name: 'version', value: '7' },
            ],
          },
          app: docker.app,
          annotations: docker.annotations,
        },
      ],
    });
  });

  it.each<[string, readonly string[], Options, readonly string[]]>([
    ['arguments replace the CMD of a Docker image', ['x', '--', 'sh', '-c', 'y'], {}, ['/entry', 'sh', '-c', 'y']],
    ['an empty list of them does not', ['x', '--'], {}, ['/entry', 'redis-server']],
    [
      'with RKT_APPEND_ARGS they are appended',
      ['x', '--', 'y'],
      { appendArguments: true },
      ['/entry', 'redis-server', 'y'],
    ],
    ['--exec replaces everything', ['x', '--exec=/bin/sh', '--', '-c', 'y'], {}, ['/bin/sh', '-c', 'y']],
    [
      'an ACI gets them appended',
      ['x', '--', 'y'],
      { manifest: { ...docker, annotations: [] } },
      ['/entry', 'redis-server', 'y'],
    ],
    [
      'annotations that are no lists are none',
      ['x', '--', 'y'],
      { manifest: { ...docker, annotations: [{ name: 'appc.io/docker/cmd', value: '{"a":1}' }] } },
      ['/entry', 'redis-server', 'y'],
    ],
    [
      'a Docker image may have a CMD alone',
      ['x', '--', 'y'],
      { manifest: { ...docker, annotations: [{ name: 'appc.io/docker/cmd', value: '["redis-server"]' }] } },
      ['y'],
    ],
  ])('%s', (_, argv, options, exec) => {
    expect(appOf(argv, options).app.exec).toEqual(exec);
  });

  it('needs something to execute', () => {
    const { app: _, annotations: __, ...manifest } = docker;
    expect(() => manifestOf(['x'], { manifest })).toThrow('does not say what to execute');
    expect(appOf(['x', '--exec=/bin/sh'], { manifest }).app).toMatchObject({
      exec: ['/bin/sh'],
      user: '0',
      group: '0',
    });
  });

  it.each<[readonly string[], string | undefined]>([
    [[], 'redis'],
    [['--user=1000'], '1000'],
    [['--user=1000', '--group=1000'], undefined],
    [['--group=redis'], undefined],
  ])('%j leave the Docker user %j, by which an unstated group is looked up', (flags, value) => {
    const annotations = [...(docker.annotations ?? []), { name: 'appc.io/docker/user', value: 'redis' }];
    const app = appOf(['x', ...flags], { manifest: { ...docker, annotations } });
    expect(app.annotations?.find(({ name }) => name === 'appc.io/docker/user')?.value).toBe(value);
    expect(app.annotations).toEqual(expect.arrayContaining([...(docker.annotations ?? [])]));
  });

  it('is run by root as by --user=root when a Docker image says nothing, but not with a group that is given', () => {
    const userOf = (...flags: readonly string[]) =>
      appOf(['x', ...flags], {
        manifest: { ...docker, app: { exec: ['/x'], user: '0', group: '0' } },
      }).annotations?.find(({ name }) => name === 'appc.io/docker/user')?.value;
    expect([userOf(), userOf('--user=root'), userOf('--group=0')]).toEqual(['0', 'root', undefined]);
    const aci = appOf(['x'], { manifest: { ...docker, annotations: [{ name: 'a', value: 'b' }] } });
    expect(aci.annotations).toEqual([{ name: 'a', value: 'b' }]);
  });

  it('has a Docker user by --user only for an image of Docker', () => {
    expect(appOf(['x', '--user=7']).annotations).toContainEqual({ name: 'appc.io/docker/user', value: '7' });
    const aci = appOf(['x', '--user=7'], { manifest: { ...docker, annotations: [{ name: 'a', value: 'b' }] } });
    expect(aci.annotations).toEqual([{ name: 'a', value: 'b' }]);
  });

  it('has user and group of one flag, as docker has them', () => {
    expect(appOf(['x', '--user=a:b']).app).toMatchObject({ user: 'a', group: 'b' });
    for (const value of [':b', 'a:', 'a:b:c']) {
      expect(() => appOf(['x', `-u=${value}`])).toThrow('it must be USER or USER:GROUP');
    }
  });

  it('has user, group, directory, name and root file system of the flags', () => {
    const app = appOf(['x', '--user=1000', '--working-dir=/tmp', '--name=db', '--readonly-rootfs']);
    expect(app).toMatchObject({ name: 'db', readOnlyRootFS: true });
    expect(app.app).toMatchObject({ user: '1000', group: '1000', workingDirectory: '/tmp' });
    expect(appOf(['x', '--user=a', '--group=b']).app).toMatchObject({ user: 'a', group: 'b' });
    expect(appOf(['x', '--group=b', '--supplementary-gids=1,2']).app).toMatchObject({
      user: 'redis',
      group: 'b',
      supplementaryGIDs: [1, 2],
    });
    expect(() => appOf(['x', '--name=Bad_Name'])).toThrow('it has "B", "_", "N", and may only have');
  });

  it('has the environment in the order of precedence: own, image, --set-env, --environment', () => {
    const env = { A: 'own', B: 'own', HOME: '/root' };
    const argv = [
      '--inherit-env',
      '--set-env=C=set',
      '--set-env=B=set',
      'x',
      '--environment=C=app',
      '--environment=D===',
    ];
    const { environment = [] } = appOf(argv, { env }).app;
    expect(Object.fromEntries(environment.map(({ name, value }) => [name, value]))).toEqual({
      PATH: '/bin',
      A: 'image',
      B: 'set',
      C: 'app',
      D: '==',
      HOME: '/root',
    });
    expect(appOf(['x'], { env }).app.environment).toEqual(docker.app?.environment);
  });

  it('takes the environment of a file, which --set-env wins over', () => {
    const dir = mkdtempSync(join(tmpdir(), 'rkt-cli-env-'));
    try {
      const file = join(dir, 'env');
      writeFileSync(file, '# comment\n; comment\n\nA=file\r\nB=file\n');
      const { environment = [] } = appOf([`--set-env-file=${file}`, '--set-env=B=flag', 'x']).app;
      expect(environment.slice(-2)).toEqual([
        { name: 'A', value: 'file' },
        { name: 'B', value: 'flag' },
      ]);
      const second = join(dir, 'second');
      writeFileSync(second, 'B=second\nC=second\n');
      for (const flag of ['--set-env-file', '--env-file']) {
        const merged = appOf([`${flag}=${file}`, `${flag}=${second}`, 'x']).app.environment ?? [];
        expect(merged.slice(-3).map(({ name, value }) => `${name}=${value}`)).toEqual([
          'A=file',
          'B=second',
          'C=second',
        ]);
      }
      writeFileSync(file, 'A=1\nnonsense\n');
      expect(() => appOf([`--set-env-file=${file}`, 'x'])).toThrow(
        `"${file}": line 2: it must be specified as key=value`,
      );
      expect(() => appOf([`--set-env-file=${dir}/none`, 'x'])).toThrow('no such file or directory');
    } finally {
      rmSync(dir, { recursive: true });
    }
    expect(() => appOf(['--set-env=A=1', '--set-env=A=2', 'x'])).toThrow('key "A" already set');
  });

  it.each([
    [['-e', 'A=1', '-e', 'A=2', 'x']],
    [['--env=A=1', '--set-env=A=3', '-eA=2', 'x']],
    [['x', '-e', 'A=1', '-e', 'A=2']],
    [['-e', 'A=1', 'x', '-e', 'A=2']],
    [['x', '--environment=A=1', '-e', 'A=2']],
  ])('takes the last of what docker would take the last of: %j', (argv) => {
    const { environment = [] } = appOf(argv).app;
    expect(environment.filter(({ name }) => name === 'A')).toEqual([{ name: 'A', value: '2' }]);
  });

  it("mounts no volume of docker's form where an image guesses what it is called", () => {
    const target = '/data';
    const guesses = Array.from({ length: 21 }, (_, at) => `data-${at}`);
    const app = { exec: ['/x'], user: '0', group: '0' };
    const manifest = { ...docker, app: { ...app, mountPoints: guesses.map((name) => ({ name, path: `/${name}` })) } };
    for (const flag of [`--volume=/secret:${target}`, `--mount=type=bind,source=/secret,target=${target}`]) {
      expect(appOf([flag, 'x'], { manifest }).mounts?.map(({ path }) => path)).toEqual([target]);
    }
  });

  it("gives what docker's form mounts in one app to no other, whatever it declares", () => {
    const names = ['data', 'volume', 'volume-data', 'volume-0'];
    const app = { exec: ['/x'], user: '0', group: '0', mountPoints: names.map((name) => ({ name, path: `/${name}` })) };
    const { apps, volumes } = manifestOf(['one', '-v', '/secret:/data', 'two', '--name=two'], {
      manifest: { ...docker, app },
    });
    expect(volumes).toMatchObject([{ kind: 'host', source: '/secret' }]);
    const secret = { volume: volumes?.[0]?.name, path: '/data' };
    expect(apps.map(({ mounts }) => mounts)).toEqual([[secret], undefined]);
  });

  it('mounts a volume where the image wants one of its name, and where a mount says', () => {
    const volume = [
      '--volume=volume-data,kind=host,source=/srv/data',
      '--volume=logs,kind=empty,mode=0700,uid=1,gid=2',
    ];
    const manifest = manifestOf([...volume, 'x', '--mount=volume=logs,target=/var/log/']);
    expect(manifest.volumes).toEqual([
      { name: 'volume-data', kind: 'host', source: '/srv/data' },
      { name: 'logs', kind: 'empty', mode: '0700', uid: 1, gid: 2 },
    ]);
    expect(manifest.apps[0]?.mounts).toEqual([
      { volume: 'volume-data', path: '/data' },
      { volume: 'logs', path: '/var/log/' },
    ]);
    expect(() => manifestOf(['x', '--mount=volume=nope,target=/x'])).toThrow(
      'dangling mount point "/x": volume "nope" not found',
    );
    expect(() => manifestOf(['--volume=data,kind=host,source=/srv', 'x'])).toThrow(
      'volume "data" is mounted nowhere: the image declares volume-data at /data',
    );
    expect(() => manifestOf(['--volume=a,kind=empty', '--volume=a,kind=empty', 'x'])).toThrow(
      'multiple volumes with name "a"',
    );
  });

  it('forwards ports the image declares, and others by number', () => {
    const { ports } = manifestOf([
      '--port=6379-tcp:16379',
      '--port=53-udp:127.0.0.1:5353',
      '--port=80-tcp:[::1]:80',
      'x',
    ]);
    const podPort = (port: number, protocol: string) => {
      return { name: `${port}-${protocol}`, port, protocol, count: 1, socketActivated: false };
    };
    expect(ports).toEqual([
      { name: '6379-tcp', hostPort: 16_379 },
      { name: '53-udp', hostPort: 5353, hostIP: '127.0.0.1', podPort: podPort(53, 'udp') },
      { name: '80-tcp', hostPort: 80, hostIP: '::1', podPort: podPort(80, 'tcp') },
    ]);
    expect(() => manifestOf(['--port=http:80', 'x'])).toThrow(
      'port name "http" could not be found in any apps: declared are 6379-tcp',
    );
  });

  it('forwards ports as docker has them', () => {
    const podPort = (port: number, protocol: string, count = 1) => {
      return { name: `${port}-${protocol}`, port, protocol, count, socketActivated: false };
    };
    const flags = [
      '-p',
      '8080:80',
      '-p=8081:80/tcp',
      '-p127.0.0.1:53:5353/udp',
      '--publish=[::]:9:10',
      '--port=1:2/sctp',
    ];
    expect(manifestOf([...flags, '-p', '8000-8009:9000-9009/udp', 'x']).ports).toEqual([
      { name: '2-sctp', hostPort: 1, podPort: podPort(2, 'sctp') },
      { name: '80-tcp', hostPort: 8080, podPort: podPort(80, 'tcp') },
      { name: '80-tcp', hostPort: 8081, podPort: podPort(80, 'tcp') },
      { name: '5353-udp', hostPort: 53, hostIP: '127.0.0.1', podPort: podPort(5353, 'udp') },
      { name: '10-tcp', hostPort: 9, hostIP: '::', podPort: podPort(10, 'tcp') },
      { name: '9000-udp', hostPort: 8000, podPort: podPort(9000, 'udp', 10) },
    ]);
  });

  it.each([
    ['80', { port: 80 }],
    ['0:80/udp', { port: 80, protocol: 'udp' }],
    [':80', { port: 80 }],
    ['127.0.0.1::80', { port: 80, hostIP: '127.0.0.1' }],
    ['[::1]::80-82', { port: 80, count: 3, hostIP: '::1' }],
  ])('leaves the port of the host to be chosen with -p %s', (text, wanted) => {
    const { port, protocol, count, hostIP } = { protocol: 'tcp', count: 1, hostIP: undefined, ...wanted };
    expect(manifestOf(['-p', text, 'x']).ports).toEqual([
      {
        ...{ name: `${port}-${protocol}`, hostPort: 0 },
        ...(hostIP !== undefined && { hostIP }),
        podPort: { name: `${port}-${protocol}`, port, protocol, count, socketActivated: false },
      },
    ]);
  });

  it('forwards a port by its number where one declared port alone has it', () => {
    const port = { protocol: 'tcp', port: 80, count: 1, socketActivated: false };
    const withPorts = (...ports: readonly (typeof port & { readonly name: string })[]): Options => {
      return { manifest: { ...docker, app: { exec: ['/x'], user: '0', group: '0', ports } } };
    };
    const web = { ...port, name: 'web' };
    for (const name of ['80', '80-tcp']) {
      expect(manifestOf([`--port=${name}:8080`, 'x'], withPorts(web)).ports).toEqual([{ name: 'web', hostPort: 8080 }]);
    }
    const both = withPorts(web, { ...web, name: 'web-udp', protocol: 'udp' });
    expect(manifestOf(['--port=80-udp:8080', 'x'], both).ports).toEqual([{ name: 'web-udp', hostPort: 8080 }]);
    expect(() => manifestOf(['--port=80:8080', 'x'], both)).toThrow(
      expect.objectContaining({ hint: 'the order is --port=NAME:HOSTPORT; did you mean --port=web:8080?' }),
    );
  });

  it.each([
    ['--port=16380:6379', 'did you mean --port=6379-tcp:16380?'],
    ['--port=8080:80', 'did you mean -p 8080:80? Or --port=8080-tcp:80, for port 8080 of the pod?'],
    ['--port=http:80', 'any port can be given as NUMBER-tcp or NUMBER-udp, as in --port=6379-tcp:6379'],
  ])('tells about %s the order and what may be meant', (flag, meant) => {
    expect(() => manifestOf([flag, 'x'])).toThrow(
      expect.objectContaining({
        message: expect.stringContaining('declared are 6379-tcp'),
        hint: `the order is --port=NAME:HOSTPORT; ${meant}`,
      }),
    );
  });

  it('limits what the flags limit, in the place of the image', () => {
    expect(
      appOf(['x', '--memory=16Mi', '--cpu=500m', '--cpu-shares=512', '--caps-remove=net_raw,CAP_MKNOD']).app.isolators,
    ).toEqual([
      { name: 'resource/memory', value: { limit: '16Mi' } },
      { name: 'resource/cpu', value: { limit: '500m' } },
      { name: 'os/linux/cpu-shares', value: 512 },
      { name: 'os/linux/capabilities-remove-set', value: { set: ['CAP_NET_RAW', 'CAP_MKNOD'] } },
    ]);
    expect(appOf(['x', '--memory=64m']).app.isolators).toEqual([{ name: 'resource/memory', value: { limit: '64Mi' } }]);
    expect(() => appOf(['x', '--caps-retain=KILL', '--caps-remove=KILL'])).toThrow('cannot be used together');
  });
});

describe('flags of a pod', () => {
  it.each([
    '--port=http',
    '--port=http:0',
    '--port=http:65536',
    '--port=http:1.2.3:80',
    '--port=HTTP:80',
    '--port=a:b:c:1',
    '--port=http:80/tcp',
    '-p=80:65536',
    '-p=80:80/icmp',
    '-p=80:80/',
    '-p=1-3:1-2',
    '-p=3-1:3-1',
    '-p=1-2-3:1-2-3',
    '-p=-1:1',
    '-p=localhost:80:80',
    '-p=::1:80:80',
    '--volume=bad',
    '--volume=v,kind=disk',
    '--volume=v,kind=host',
    '--volume=v,kind=host,source=rel',
    '--volume=v,kind=host,source=/a,mode=0755',
    '--volume=v,kind=empty,source=/a',
    '--volume=v,kind=empty,mode=9',
    '--volume=v,kind=empty,uid=-1',
    '--volume=v,kind=empty,readOnly=1',
    '--volume=v,kind=empty,kind=host',
    '--volume=V,kind=empty',
    '--mount=volume=v',
    '--mount=volume=v,target=rel',
    '--mount=volume=v,target=/a,more=b',
    '--set-env==x',
  ])('%s are refused when they are read', (flag) => {
    expect(() => argumentsOf('run', flag, 'x')).toThrow('invalid argument');
  });

  it.each([
    ['--memory=abc', 'a number of bytes'],
    ['--memory=5Q', 'a number of bytes'],
    ['--memory=512q', 'a number of bytes'],
    ['--cpu=-1', 'a quantity'],
  ])('%s are refused when they are read', (flag, expected) => {
    expect(() => argumentsOf('run', 'x', flag)).toThrow(`it must be ${expected}`);
  });
});
