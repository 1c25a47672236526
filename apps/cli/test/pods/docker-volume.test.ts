// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fromDockerMount, fromDockerVolume } from '../../src/pods/docker-volume.ts';
import { parseMountFlag, parseVolumeFlag } from '../../src/pods/volume-flag.ts';

const readWrite = { name: 'b-3', kind: 'host', source: '/a' };
const readOnly = { ...readWrite, readOnly: true };

describe("docker's ways to write a mount", () => {
  it.each([
    ['type=bind,source=/a,target=/b', readWrite],
    ['type=bind,src=/a,dst=/b,readonly', readOnly],
    ['type=bind,source=/a,destination=/b,ro=true', readOnly],
  ])('--mount=%s is a volume and where it is mounted', (text, volume) => {
    expectRead(fromDockerMount(text, 3), volume);
  });

  it.each([
    ['/a:/b', readWrite],
    ['/a:/b:rw', readWrite],
    ['/a:/b:ro,z', readOnly],
    ['./a:/b', { ...readWrite, source: join(process.cwd(), 'a') }],
    ['..:/b', { ...readWrite, source: join(process.cwd(), '..') }],
  ])('--volume=%s is a volume and where it is mounted', (text, volume) => {
    expectRead(fromDockerVolume(text, 3), volume);
  });

  it('gives two volumes of one target two names', () => {
    const names = [fromDockerVolume('/a:/X y/', 3), fromDockerVolume('/a:/x-y', 4)].map((each) => each?.volume);
    expect(names).toEqual(['x-y-3,kind=host,source=/a', 'x-y-4,kind=host,source=/a']);
    expect(parseVolumeFlag(fromDockerVolume('/a:/', 0)?.volume ?? '').name).toBe('0');
  });

  it.each([
    [() => fromDockerVolume('data:/b', 0), 'volumes are kept in directories of the host: write -v /PATH:/b'],
    [() => fromDockerVolume('/a:/b:rshared', 0), 'a volume has no option "rshared": it is ro or rw'],
    [() => fromDockerMount('source=data,target=/b', 0), 'volumes are kept in directories of the host'],
    [() => fromDockerMount('type=bind,source=a,target=/b', 0), 'volumes are kept in directories of the host'],
    [() => fromDockerMount('type=tmpfs,target=/b', 0), 'write --volume=NAME,kind=empty --mount=volume=NAME,target=/b'],
    [() => fromDockerMount('type=bind,source=/a,target=/b,bind-propagation=shared', 0), 'no "bind-propagation" here'],
  ])('says what to write in the place of what rkt does not have', (read, message) => {
    expect(read).toThrow(message);
  });

  it.each(['data,kind=host,source=/a:/b', 'data', '/a', ''])('--volume=%s is none of them', (text) => {
    expect(fromDockerVolume(text, 0)).toBeUndefined();
  });

  it.each(['volume=data,target=/b', 'type=bind', 'nonsense'])('--mount=%s is none of them', (text) => {
    expect(fromDockerMount(text, 0)).toBeUndefined();
  });
});

function expectRead(read: ReturnType<typeof fromDockerVolume>, volume: object): void {
  expect(parseVolumeFlag(read?.volume ?? '')).toEqual(volume);
  expect(parseMountFlag(read?.mount ?? '')).toEqual({ volume: 'b-3', path: '/b' });
}
