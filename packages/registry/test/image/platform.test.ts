// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import {
  type Descriptor,
  formatPlatform,
  hostPlatform,
  matchPlatform,
  type Platform,
  parsePlatform,
  selectManifest,
} from '../../src/index.ts';
import { registryError } from '../registry-error.ts';

const entry = (platform: string | undefined, id: number, annotations?: Record<string, string>): Descriptor => ({
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  digest: `sha256:${id.toString(16).padStart(64, '0')}`,
  size: 1,
  ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
  ...(annotations === undefined ? {} : { annotations }),
});
const choose = (have: readonly string[], want: string): string =>
  formatPlatform(
    selectManifest(
      have.map((text, i) => entry(text, i)),
      parsePlatform(want),
      'r',
    ).platform as Platform,
  );

describe('selectManifest', () => {
  it.each([
    [['linux/arm/v6', 'linux/arm/v7', 'linux/arm/v5'], 'linux/arm/v7', 'linux/arm/v7'],
    [['linux/arm/v7', 'linux/arm/v5', 'linux/arm/v6'], 'linux/arm/v6', 'linux/arm/v6'],
    [['linux/arm/v5', 'linux/arm/v6'], 'linux/arm/v8', 'linux/arm/v6'],
    [['linux/arm/v5', 'linux/arm'], 'linux/arm/v7', 'linux/arm'],
    [['linux/arm64'], 'linux/arm64/v8', 'linux/arm64'],
    [['linux/arm64/v8'], 'linux/arm64', 'linux/arm64/v8'],
    [['linux/amd64/v3', 'linux/amd64/v2', 'linux/amd64'], 'linux/amd64', 'linux/amd64'],
    [['linux/amd64', 'linux/amd64/v2', 'linux/amd64/v3'], 'linux/amd64/v3', 'linux/amd64/v3'],
    [['linux/amd64', 'linux/amd64/v2', 'linux/amd64/v4'], 'linux/amd64/v3', 'linux/amd64/v2'],
    [['windows/amd64', 'linux/amd64'], 'linux/amd64', 'linux/amd64'],
  ])('of %j for %s takes %s', (have, want, expected) => {
    expect(choose(have, want)).toBe(expected);
  });

  it('takes the first of equals and never an attestation', () => {
    const list = [
      entry('unknown/unknown', 1, { 'vnd.docker.reference.type': 'attestation-manifest' }),
      entry('linux/amd64', 2, { 'vnd.docker.reference.type': 'attestation-manifest' }),
      entry('linux/amd64', 3),
      entry('linux/amd64', 4),
    ];
    expect(selectManifest(list, parsePlatform('linux/amd64'), 'r')).toBe(list[2]);
  });

  it('takes a single entry that does not say what it is for', () => {
    const list = [entry(undefined, 1)];
    expect(selectManifest(list, parsePlatform('linux/amd64'), 'r')).toBe(list[0]);
  });

  it('says what there is when nothing fits', async () => {
    const list = [
      entry('linux/arm64/v8', 1),
      entry('windows/amd64', 2),
      entry('linux/arm/v7', 3),
      entry('unknown/unknown', 4),
    ];
    const error = await registryError(() =>
      selectManifest(list, parsePlatform('linux/s390x'), 'docker.io/library/x:latest'),
    );
    expect(error.code).toBe('ERR_RKT_REGISTRY_NO_MATCHING_PLATFORM');
    expect(error.platforms).toEqual(['linux/arm64/v8', 'windows/amd64', 'linux/arm/v7']);
    expect(error.message).toBe(
      'docker.io/library/x:latest has no image for linux/s390x; it has linux/arm64/v8, windows/amd64, linux/arm/v7',
    );
    const empty = await registryError(() => selectManifest([], parsePlatform('linux/amd64'), 'r'));
    expect(empty.message).toContain('no image for a known platform');
  });

  it('does not run a newer arm on an older one', async () => {
    const error = await registryError(() => choose(['linux/arm/v7'], 'linux/arm/v6'));
    expect(error.code).toBe('ERR_RKT_REGISTRY_NO_MATCHING_PLATFORM');
  });
});

describe('platforms', () => {
  it('match by OS version where one is wanted', () => {
    const have = { os: 'windows', architecture: 'amd64', osVersion: '10.0.1' };
    expect(matchPlatform(have, { ...have, osVersion: '10.0.2' })).toBeUndefined();
    expect(matchPlatform(have, { os: 'windows', architecture: 'amd64' })).toBe(0);
  });

  it('are read with the names of uname and refused otherwise', () => {
    expect(parsePlatform('linux/x86_64')).toEqual({ os: 'linux', architecture: 'amd64' });
    for (const architecture of ['constructor', 'toString', '__proto__']) {
      expect(parsePlatform(`linux/${architecture}`)).toEqual({ os: 'linux', architecture });
    }
    for (const wrong of ['', 'linux', 'linux/', 'a/b/c/d', 'linux/am d64'])
      expect(() => parsePlatform(wrong)).toThrow(TypeError);
  });

  it('know this host', () => {
    expect(hostPlatform('x64')).toEqual({ os: 'linux', architecture: 'amd64' });
    expect(hostPlatform('mips')).toEqual({ os: 'linux', architecture: 'mips' });
  });
});
