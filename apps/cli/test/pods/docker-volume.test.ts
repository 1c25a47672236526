// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fromDockerMount, fromDockerVolume } from '../../src/pods/docker-volume.ts';
import { parseMountFlag, parseVolumeFlag } from '../../src/pods/volume-flag.ts';

const name = expect.stringMatching(/^volume-[0-9a-f-]{36}$/);
const readWrite = { name, kind: 'host', source: '/a' };
const readOnly = { ...readWrite, readOnly: true };

describe("docker's ways to write a mount", () => {
  it.each([
    ['type=bind,source=/a,target=/b', readWrite],
    ['source=/a,target=/b', readWrite],
    ['type=bind,src=/a,dst=/b,readonly', readOnly],
    ['type=bind,source=/a,destination=/b,ro=true', readOnly],
  ])('--mount=%s is a volume and where it is mounted', (text, volume) => {
    expectRead(fromDockerMount(text), volume);
  });

  it.each([
    ['/a:/b', readWrite],
    ['/a:/b:rw', readWrite],
    ['/a:/b:ro,z', readOnly],
    ['./a:/b', { ...readWrite, source: join(process.cwd(), 'a') }],
    ['..:/b', { ...readWrite, source: join(process.cwd(), '..') }],
  ])('--volume=%s is a volume and where it is mounted', (text, volume) => {
    expectRead(fromDockerVolume(text), volume);
  });

  it.each(['/a:/b', '/a:/'])('gives volumes of one target, --volume=%s, names that nobody can guess', (text) => {
    const names = [1, 2].map(() => parseVolumeFlag(fromDockerVolume(text)?.volume ?? '').name);
    expect(names).toEqual([name, name]);
    expect(names[0]).not.toBe(names[1]);
  });

  it.each(['', '=1', '=t', '=T', '=TRUE', '=true', '=True'])('--mount=...,readonly%s is read-only', (value) => {
    for (const word of ['readonly', 'ro']) {
      expectRead(fromDockerMount(`type=bind,source=/a,target=/b,${word}${value}`), readOnly);
    }
  });

  it.each(['0', 'f', 'F', 'FALSE', 'false', 'False'])('--mount=...,readonly=%s is not', (value) => {
    expectRead(fromDockerMount(`type=bind,source=/a,target=/b,readonly=${value}`), readWrite);
  });

  it.each([
    [() => fromDockerVolume('data:/b'), 'volumes are kept in directories of the host: write -v /PATH:/b'],
    [() => fromDockerVolume('/a:/b:rshared'), 'a volume has no option "rshared": it is ro or rw'],
    [() => fromDockerMount('source=data,target=/b'), 'volumes are kept in directories of the host'],
    [() => fromDockerMount('type=bind,source=a,target=/b'), 'volumes are kept in directories of the host'],
    [() => fromDockerMount('type=bind,source=/a,target=/b,readonly=yes'), 'readonly must be true or false, got "yes"'],
    [() => fromDockerMount('type=bind,source=/a,target=/b,ro=tRUE'), 'ro must be true or false, got "tRUE"'],
    [() => fromDockerMount('type=volume,source=/a,target=/b'), 'a mount is of type bind here, not "volume"'],
    [() => fromDockerMount('type=,source=/a,target=/b'), 'a mount is of type bind here, not ""'],
    [() => fromDockerMount('type=tmpfs,target=/b'), 'write --volume=NAME,kind=empty --mount=volume=NAME,target=/b'],
    [() => fromDockerMount('type=bind,source=/a,target=/b,bind-propagation=shared'), 'no "bind-propagation" here'],
  ])('says what to write in the place of what rkt does not have', (read, message) => {
    expect(read).toThrow(message);
  });

  it.each(['data,kind=host,source=/a:/b', 'data', '/a', ''])('--volume=%s is none of them', (text) => {
    expect(fromDockerVolume(text)).toBeUndefined();
  });

  it.each(['volume=data,target=/b', 'type=bind', 'nonsense'])('--mount=%s is none of them', (text) => {
    expect(fromDockerMount(text)).toBeUndefined();
  });
});

function expectRead(read: ReturnType<typeof fromDockerVolume>, volume: object): void {
  expect(parseVolumeFlag(read?.volume ?? '')).toEqual(volume);
  expect(parseMountFlag(read?.mount ?? '')).toEqual({ volume: parseVolumeFlag(read?.volume ?? '').name, path: '/b' });
}
