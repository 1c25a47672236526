// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { type ImageManifest, parseImageManifest, serializeImageManifest } from '@rkt/appc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appcError, resultOrCode } from '../appc-error.ts';

const minimal = { acKind: 'ImageManifest', acVersion: '0.8.11', name: 'example.com/app' } as const;
const app = { exec: ['/bin/app'], user: '0', group: '0' } as const;

const full: ImageManifest = {
  ...minimal,
  labels: [
    { name: 'os', value: 'linux' },
    { name: 'arch', value: 'amd64' },
  ],
  app: {
    exec: ['/bin/sh', '-c', 'echo "\u2028<&>"'],
    user: 'www',
    group: 'www',
    supplementaryGIDs: [4, 0xffff_ffff],
    eventHandlers: [
      { name: 'pre-start', exec: ['/setup'] },
      { name: 'post-stop', exec: ['/cleanup'] },
    ],
    workingDirectory: '/srv',
    environment: [
      { name: 'PATH', value: '/bin' },
      { name: 'EMPTY', value: '' },
      { name: 'PATH', value: '/usr/bin' },
    ],
    mountPoints: [{ name: 'data', path: '/data', readOnly: true }],
    ports: [{ name: '80-tcp', protocol: 'tcp', port: 80, count: 1, socketActivated: false }],
    isolators: [
      { name: 'resource/memory', value: { limit: '512Mi' } },
      { name: 'resource/cpu', value: { request: 0.5, limit: '500m' } },
      { name: 'os/linux/capabilities-retain-set', value: { set: ['CAP_NET_ADMIN'] } },
      { name: 'os/linux/capabilities-remove-set', value: { set: ['all'] } },
      { name: 'os/linux/seccomp-retain-set', value: { set: ['@docker/default-whitelist', 'reboot'], errno: 'EPERM' } },
      { name: 'os/linux/seccomp-remove-set', value: { set: [] } },
      { name: 'os/linux/no-new-privileges', value: true },
      { name: 'os/linux/oom-score-adj', value: -500 },
      { name: 'os/linux/cpu-shares', value: 1024 },
      { name: 'example.com/own', value: [{ any: [null] }] },
    ],
    userAnnotations: { b: '2', a: '1' },
    userLabels: { ['__proto__']: 'kept' },
  },
  annotations: [{ name: 'created', value: '2026-01-01T00:00:00Z' }],
  dependencies: [
    { imageName: 'example.com/base', imageID: 'sha512-ab', labels: [{ name: 'version', value: '1' }], size: 5 },
  ],
  pathWhitelist: ['/bin/app'],
};

describe('an image manifest', () => {
  it('is read from text and from a value, with every property there is', () => {
    expect(parseImageManifest(full)).toEqual(full);
    expect(parseImageManifest(Buffer.from(JSON.stringify(full)))).toEqual(full);
    expect(parseImageManifest(minimal)).toEqual(minimal);
  });
  it('is written in one form, whatever the order it came in', () => {
    const shuffled = {
      name: minimal.name,
      app: { group: '0', user: '0', exec: ['/bin/app'] },
      acVersion: minimal.acVersion,
      acKind: minimal.acKind,
    };
    const text =
      '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/app","app":{"exec":["/bin/app"],"user":"0","group":"0"}}';
    expect(Buffer.from(serializeImageManifest(parseImageManifest(shuffled))).toString()).toBe(text);
  });
  it('is written with maps in the order of their keys', () => {
    const text = Buffer.from(serializeImageManifest(full)).toString();
    expect(text).toContain('"userAnnotations":{"a":"1","b":"2"},"userLabels":{"__proto__":"kept"}');
    expect(Buffer.from(serializeImageManifest(parseImageManifest(Buffer.from(text)))).toString()).toBe(text);
  });
  it('written by docker2aci 0.17 is written again byte for byte', () => {
    const text =
      '{"acKind":"ImageManifest","acVersion":"0.8.10","name":"127.0.0.1_5501/library/alpine","labels":[{"name":"os","value":"linux"},{"name":"arch","value":"amd64"},{"name":"version","value":"latest"}],"app":{"exec":["/bin/sh"],"user":"0","group":"0","environment":[{"name":"PATH","value":"/usr/local/sbin:/usr/local/bin"}]},"annotations":[{"name":"appc.io/docker/cmd","value":"[\\"/bin/sh\\"]"}]}';
    expect(Buffer.from(serializeImageManifest(parseImageManifest(Buffer.from(text)))).toString()).toBe(text);
  });
  it('leaves out what is unknown and what is null', () => {
    expect(parseImageManifest({ ...minimal, labels: null, later: { version: 1 } })).toEqual(minimal);
  });
  it('has ports of one when their count is 0 or missing', () => {
    const port = { name: 'web', protocol: 'tcp', port: 80 };
    for (const given of [port, { ...port, count: 0, socketActivated: false }]) {
      const { app: read } = parseImageManifest({ ...minimal, app: { ...app, ports: [given] } });
      expect(read?.ports).toEqual([{ ...port, count: 1, socketActivated: false }]);
    }
  });
  it('may have an app without exec and with an empty working directory', () => {
    expect(parseImageManifest({ ...minimal, app: { user: '0', group: '0', workingDirectory: '' } }).app).toEqual({
      exec: [],
      user: '0',
      group: '0',
    });
  });
});

const withApp = (fields: object) => ({ ...minimal, app: { ...app, ...fields } });
const withIsolator = (name: string, value: unknown) => withApp({ isolators: [{ name, value }] });
const port = { name: 'a', protocol: 'tcp', port: 80, count: 1 };

describe('a manifest is refused', () => {
  it.each<[string, unknown]>([
    ['', []],
    ['', null],
    ['', 'text'],
    ['acKind', { ...minimal, acKind: 'PodManifest' }],
    ['acVersion', { ...minimal, acVersion: '1' }],
    ['name', { ...minimal, name: 'Upper' }],
    ['name', { acKind: 'ImageManifest', acVersion: '0.8.11' }],
    ['labels', { ...minimal, labels: { os: 'linux' } }],
    ['labels', { ...minimal, labels: [{ name: 'name', value: 'x' }] }],
    [
      'labels[1].name',
      {
        ...minimal,
        labels: [
          { name: 'os', value: 'a' },
          { name: 'os', value: 'b' },
        ],
      },
    ],
    ['annotations[0].value', { ...minimal, annotations: [{ name: 'a', value: 5 }] }],
    ['pathWhitelist[0]', { ...minimal, pathWhitelist: ['relative'] }],
    ['dependencies[0].imageID', { ...minimal, dependencies: [{ imageName: 'a', imageID: 'sha256-ab' }] }],
    ['dependencies[0].size', { ...minimal, dependencies: [{ imageName: 'a', size: -1 }] }],
    ['app.user', { ...minimal, app: { exec: [], group: '0' } }],
    ['app.group', withApp({ group: '' })],
    ['app.exec[1]', withApp({ exec: ['a', 'b\0c'] })],
    ['app.workingDirectory', withApp({ workingDirectory: 'srv' })],
    ['app.supplementaryGIDs[0]', withApp({ supplementaryGIDs: [-1] })],
    ['app.supplementaryGIDs[0]', withApp({ supplementaryGIDs: [1.5] })],
    ['app.environment[0].name', withApp({ environment: [{ name: 'a=b', value: '' }] })],
    ['app.environment[0].name', withApp({ environment: [{ name: '', value: '' }] })],
    ['app.environment[0].value', withApp({ environment: [{ name: 'a', value: 'b\0' }] })],
    ['app.eventHandlers[0].name', withApp({ eventHandlers: [{ name: 'pre-stop', exec: [] }] })],
    ['app.mountPoints[0].name', withApp({ mountPoints: [{ name: 'a_b', path: '/' }] })],
    ['app.mountPoints[0].path', withApp({ mountPoints: [{ name: 'a', path: '' }] })],
    ['app.mountPoints[0].readOnly', withApp({ mountPoints: [{ name: 'a', path: '/', readOnly: 'yes' }] })],
    ['app.ports[0].port', withApp({ ports: [{ ...port, port: 0 }] })],
    ['app.ports[0].port', withApp({ ports: [{ ...port, port: 65_536 }] })],
    ['app.ports[0].count', withApp({ ports: [{ ...port, port: 65_535, count: 2 }] })],
    ['app.ports[1].name', withApp({ ports: [port, port] })],
    ['app.userLabels.a', withApp({ userLabels: { a: 1 } })],
    ['app.isolators[0].value', withApp({ isolators: [{ name: 'x' }] })],
    ['app.isolators[0].value.limit', withIsolator('resource/memory', { limit: '1 GB' })],
    ['app.isolators[0].value.limit', withIsolator('resource/cpu', { limit: -1 })],
    ['app.isolators[0].value', withIsolator('resource/cpu', '500m')],
    ['app.isolators[0].value.set[0]', withIsolator('os/linux/capabilities-retain-set', { set: ['CAP NET'] })],
    ['app.isolators[0].value.set', withIsolator('os/linux/capabilities-remove-set', {})],
    ['app.isolators[0].value.set[0]', withIsolator('os/linux/seccomp-remove-set', { set: ['a b'] })],
    ['app.isolators[0].value.errno', withIsolator('os/linux/seccomp-retain-set', { set: ['read'], errno: '1' })],
    ['app.isolators[0].value', withIsolator('os/linux/no-new-privileges', 'true')],
    ['app.isolators[0].value', withIsolator('os/linux/oom-score-adj', 1001)],
    ['app.isolators[0].value', withIsolator('os/linux/cpu-shares', 1)],
  ])('naming %s', (path, manifest) => {
    expect(appcError(() => parseImageManifest(manifest))).toMatchObject({ code: 'ERR_RKT_APPC_MANIFEST', path });
  });
  it('when an unknown isolator nests too deeply', () => {
    const nested = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) as unknown;
    expect(appcError(() => parseImageManifest(withIsolator('x', nested))).code).toBe('ERR_RKT_APPC_MANIFEST');
  });
  it.each([
    ['not JSON', Buffer.from('{')],
    ['not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['behind a byte order mark', Buffer.from(`\ufeff${JSON.stringify(minimal)}`)],
    ['of more than 4 MiB', Buffer.alloc(4 * 1024 * 1024 + 1, ' ')],
  ])('when it is %s', (_what, bytes) => {
    expect(appcError(() => parseImageManifest(bytes)).code).toBe('ERR_RKT_APPC_MANIFEST');
  });
  it('in words that hold no control character', () => {
    const { message } = appcError(() => parseImageManifest({ ...minimal, name: '\x1b]0;x\x07' }));
    expect(message).toBe('manifest property "name" must be an AC Identifier, got "\\x1b]0;x\\x07"');
  });
});

it('gives a manifest that can be written, or an AppcError, for any JSON', () => {
  const mutated = fc
    .tuple(fc.constantFrom(...Object.keys(full)), fc.jsonValue())
    .map(([key, value]) => ({ ...full, [key]: value }));
  const mutatedApp = fc
    .tuple(fc.constantFrom(...Object.keys(full.app ?? {})), fc.jsonValue())
    .map(([key, value]) => ({ ...full, app: { ...full.app, [key]: value } }));
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), mutated, mutatedApp), (json) => {
      const manifest = resultOrCode(() => parseImageManifest(json));
      if (typeof manifest === 'string') return;
      expect(parseImageManifest(serializeImageManifest(manifest))).toEqual(manifest);
    }),
    { numRuns: 500 },
  );
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void resultOrCode(() => parseImageManifest(bytes))));
});
