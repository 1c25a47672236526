// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { dockerMountHint, dockerVolumeHint } from '../../src/help/docker-volumes.ts';
import { parseMountFlag, parseVolumeFlag } from '../../src/pods/volume-flag.ts';

describe("docker's ways to write a mount", () => {
  it.each([
    ['type=bind,source=/a,target=/b', '--volume=NAME,kind=host,source=/a --mount=volume=NAME,target=/b'],
    [
      'type=bind,src=/a,dst=/b,readonly',
      '--volume=NAME,kind=host,source=/a,readOnly=true --mount=volume=NAME,target=/b',
    ],
    [
      'source=/a,destination=/b,ro=true',
      '--volume=NAME,kind=host,source=/a,readOnly=true --mount=volume=NAME,target=/b',
    ],
    ['type=bind,source=a,target=/b', '--volume=NAME,kind=host,source=/PATH --mount=volume=NAME,target=/b'],
    ['type=tmpfs,target=/b', '--volume=NAME,kind=empty --mount=volume=NAME,target=/b'],
    ['type=volume,source=data,target=/b', '--volume=NAME,kind=empty --mount=volume=NAME,target=/b'],
    ['volume=data,target=/b', undefined],
    ['type=bind', undefined],
    ['nonsense', undefined],
  ])('--mount=%s is %s', (text, written) => {
    expect(dockerMountHint(text)).toBe(written);
    if (written !== undefined) expectAccepted(written);
  });

  it.each([
    ['/a:/b', '--volume=NAME,kind=host,source=/a --mount=volume=NAME,target=/b'],
    ['/a:/b:ro,z', '--volume=NAME,kind=host,source=/a,readOnly=true --mount=volume=NAME,target=/b'],
    ['./a:/b', '--volume=NAME,kind=host,source=/PATH --mount=volume=NAME,target=/b'],
    ['data:/b', '--volume=NAME,kind=empty --mount=volume=NAME,target=/b'],
    ['data,kind=host,source=/a:/b', undefined],
    ['data', undefined],
  ])('--volume=%s is %s', (text, written) => {
    expect(dockerVolumeHint(text)).toBe(written);
    if (written !== undefined) expectAccepted(written);
  });
});

/** What is suggested is what is taken. */
function expectAccepted(line: string): void {
  const [volume = '', mount = ''] = line.replaceAll('NAME', 'data').split(' ');
  expect(parseVolumeFlag(volume.slice('--volume='.length))).toMatchObject({ name: 'data' });
  expect(parseMountFlag(mount.slice('--mount='.length))).toEqual({ volume: 'data', path: '/b' });
}
