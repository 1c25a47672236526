// SPDX-License-Identifier: Apache-2.0
import { serializeImageManifest } from '@rkt/appc';
import type { ContainerConfig, ImageConfig } from '@rkt/registry';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isConversionError, type ManifestContext, toAciManifest } from '../../src/index.ts';

const context: ManifestContext = {
  domain: 'docker.io',
  path: 'library/busybox',
  configDigest: `sha256:${'a'.repeat(64)}`,
  manifestDigest: `sha256:${'b'.repeat(64)}`,
};

function image(config?: ContainerConfig): ImageConfig {
  const base = { platform: { os: 'linux', architecture: 'amd64' }, diffIds: [] };
  return config === undefined ? base : { ...base, config };
}

function appOf(config: ContainerConfig) {
  return toAciManifest(image(config), context).app;
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (isConversionError(error)) return error.code;
    throw error;
  }
  return 'no error';
}

describe('a hostile configuration', () => {
  test('that nests its health check without end costs the annotation, not the stack', () => {
    const healthcheck = JSON.parse(`{"Test":${'['.repeat(100_000)}${']'.repeat(100_000)}}`) as object;
    const { annotations } = toAciManifest(image({ healthcheck }), context);
    expect(annotations?.some(({ name }) => name === 'appc.io/docker/healthcheck')).toBe(false);
  });

  test('whose volumes all want one name is named in no time', () => {
    const volumes = Array.from({ length: 8000 }, (_, at) =>
      `/v${'!@#$%&*('[at % 8]}${'!'.repeat(at / 8)}`.slice(0, 900),
    );
    const points = appOf({ volumes })?.mountPoints ?? [];
    expect(new Set(points.map(({ name }) => name)).size).toBe(points.length);
  });
});

describe('the manifest of an image', () => {
  test('is, byte for byte, what it has always been', () => {
    const config: ImageConfig = {
      ...image({ cmd: ['sh'], env: ['PATH=/usr/bin:/bin'] }),
      created: '2024-09-26T21:31:42Z',
      author: 'Someone <a@b>',
    };
    expect(Buffer.from(serializeImageManifest(toAciManifest(config, context))).toString()).toBe(
      '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"registry-1.docker.io/library/busybox",' +
        '"labels":[{"name":"arch","value":"amd64"},{"name":"os","value":"linux"}],' +
        '"app":{"exec":["sh"],"user":"0","group":"0","environment":[{"name":"PATH","value":"/usr/bin:/bin"}]},' +
        '"annotations":[{"name":"author","value":"Someone <a@b>"},{"name":"created","value":"2024-09-26T21:31:42Z"},' +
        '{"name":"appc.io/docker/registryurl","value":"registry-1.docker.io"},' +
        '{"name":"appc.io/docker/repository","value":"library/busybox"},' +
        `{"name":"appc.io/docker/imageid","value":"sha256:${'a'.repeat(64)}"},` +
        `{"name":"appc.io/docker/manifesthash","value":"sha256:${'b'.repeat(64)}"},` +
        '{"name":"appc.io/docker/cmd","value":"[\\"sh\\"]"}]}',
    );
  });

  test('keeps a port in the registry and what has no domain', () => {
    expect(toAciManifest(image(), { ...context, domain: 'localhost:5000' }).name).toBe(
      'localhost_5000/library/busybox',
    );
    expect(toAciManifest(image(), { ...context, domain: '' }).name).toBe('library/busybox');
  });

  test('has no app section without a container configuration', () => {
    expect(toAciManifest(image(), context)).not.toHaveProperty('app');
  });

  test('refuses a platform appc cannot name instead of labelling another', () => {
    const config = { ...image(), platform: { os: 'linux', architecture: 'z80\u001b[31m' } };
    expect(codeOf(() => toAciManifest(config, context))).toBe('ERR_RKT_DOCKER2ACI_UNSUPPORTED_PLATFORM');
    expect(() => toAciManifest(config, context)).toThrow(/z80\\u001b/);
  });

  test('does not depend on the order of sets and maps in the configuration', () => {
    const config = { volumes: ['/a', '/b'], exposedPorts: ['80/tcp', '53/udp'], labels: { x: '1', a: '2' } };
    const turned = { volumes: ['/b', '/a'], exposedPorts: ['53/udp', '80/tcp'], labels: { a: '2', x: '1' } };
    expect(JSON.stringify(appOf(config))).toBe(JSON.stringify(appOf(turned)));
  });
});

describe('the app section', () => {
  test('runs the entrypoint with the command, and says which is which', () => {
    const manifest = toAciManifest(image({ entrypoint: ['/bin/sh', '-c'], cmd: ['a b'] }), context);
    expect(manifest.app?.exec).toEqual(['/bin/sh', '-c', 'a b']);
    expect(manifest.annotations).toContainEqual({ name: 'appc.io/docker/entrypoint', value: '["/bin/sh","-c"]' });
    expect(manifest.annotations).toContainEqual({ name: 'appc.io/docker/cmd', value: '["a b"]' });
  });

  test.each([
    ['', '0', '0'],
    ['web', 'web', 'web'],
    ['web:4321', 'web', '4321'],
    ['1000:', '1000', '1000'],
    [':5', '0', '5'],
  ])('takes the user %j as %s and %s', (user, expected, group) => {
    expect(appOf({ user })).toMatchObject({ user: expected, group });
  });

  test('splits variables at the first sign, keeps dots, and leaves out what is none', () => {
    expect(appOf({ env: ['A=b=c', 'FOO.bar=1', 'EMPTY=', 'nothing', '=x', 'A=last'] })?.environment).toEqual([
      { name: 'A', value: 'last' },
      { name: 'FOO.bar', value: '1' },
      { name: 'EMPTY', value: '' },
    ]);
  });

  test('has one port with a count for a range', () => {
    expect(appOf({ exposedPorts: ['7000-7002/tcp', '9000', '53/UDP'] })?.ports).toEqual([
      { name: '53-udp', protocol: 'udp', port: 53, count: 1, socketActivated: false },
      { name: '7000-7002-tcp', protocol: 'tcp', port: 7000, count: 3, socketActivated: false },
      { name: '9000', protocol: 'tcp', port: 9000, count: 1, socketActivated: false },
    ]);
  });

  test.each(['0/tcp', '70000', '9-8/tcp', 'http', '80/tcp/udp', '-1', ''])('refuses the port %j', (port) => {
    expect(codeOf(() => appOf({ exposedPorts: [port] }))).toBe('ERR_RKT_DOCKER2ACI_CONFIG_INVALID');
  });

  test('names mount points after their paths, equal ones in the order of paths', () => {
    const volumes = ['/var/lib/x y', '/Data/../data2', '/a_b', '/a.b', '/a-b-1'];
    expect(appOf({ volumes })?.mountPoints).toEqual([
      { name: 'volume-a-b', path: '/a.b' },
      { name: 'volume-a-b-1', path: '/a-b-1' },
      { name: 'volume-a-b-2', path: '/a_b' },
      { name: 'volume-data2', path: '/data2' },
      { name: 'volume-var-lib-x-y', path: '/var/lib/x y' },
    ]);
  });

  test.each(['/', '/a/..', ''])('refuses the volume %j', (volume) => {
    expect(codeOf(() => appOf({ volumes: [volume] }))).toBe('ERR_RKT_DOCKER2ACI_CONFIG_INVALID');
  });

  test('keeps labels, and what appc has no field for as annotations', () => {
    const healthcheck = { Test: ['CMD', 'true'], Interval: 5 };
    const manifest = toAciManifest(
      image({ labels: { b: '1', a: '2' }, stopSignal: 'SIGQUIT', healthcheck, shell: ['/bin/bash', '-c'] }),
      context,
    );
    expect(Object.entries(manifest.app?.userLabels ?? {})).toEqual([
      ['a', '2'],
      ['b', '1'],
    ]);
    expect(manifest.annotations).toContainEqual({ name: 'appc.io/docker/stopsignal', value: 'SIGQUIT' });
    expect(manifest.annotations).toContainEqual({
      name: 'appc.io/docker/healthcheck',
      value: '{"Interval":5,"Test":["CMD","true"]}',
    });
    expect(manifest.annotations).toContainEqual({ name: 'appc.io/docker/shell', value: '["/bin/bash","-c"]' });
  });

  test.each(['1000', 'web:4321', 'nobody'])('keeps the user as the image states it: %s', (user) => {
    const { annotations } = toAciManifest(image({ user }), context);
    expect(annotations).toContainEqual({ name: 'appc.io/docker/user', value: user });
  });

  test('of any configuration is a manifest that can be written, or our error', () => {
    const strings = fc.array(fc.string());
    const anyConfig = fc.record(
      {
        user: fc.string(),
        env: strings,
        cmd: strings,
        volumes: strings,
        exposedPorts: strings,
        workingDir: fc.string(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(anyConfig, (config) => {
        const user = config.user?.replaceAll('\0', '') ?? '';
        const code = codeOf(() => serializeImageManifest(toAciManifest(image({ ...config, user }), context)));
        expect(['no error', 'ERR_RKT_DOCKER2ACI_CONFIG_INVALID']).toContain(code);
      }),
    );
  });
});
