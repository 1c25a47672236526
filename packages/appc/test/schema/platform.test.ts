// SPDX-License-Identifier: Apache-2.0
import { fromAppcPlatform, toAppcPlatform } from '@rkt/appc';
import { describe, expect, it } from 'vitest';
import { appcError } from '../appc-error.ts';

describe('platforms', () => {
  it.each([
    ['linux', 'amd64', undefined, 'amd64'],
    ['linux', '386', undefined, 'i386'],
    ['linux', 'arm64', undefined, 'aarch64'],
    ['linux', 'arm', 'v6', 'armv6l'],
    ['linux', 'arm', 'v7', 'armv7l'],
    ['linux', 'ppc64le', undefined, 'ppc64le'],
    ['linux', 's390x', undefined, 's390x'],
    ['linux', 'riscv64', undefined, 'riscv64'],
    ['linux', 'loong64', undefined, 'loong64'],
    ['linux', 'mips64le', undefined, 'mips64le'],
    ['freebsd', 'arm', undefined, 'arm'],
    ['darwin', 'amd64', undefined, 'x86_64'],
  ])('%s/%s (%s) have the label %s, and back', (os, architecture, variant, arch) => {
    const platform = variant === undefined ? { os, architecture } : { os, architecture, variant };
    expect(toAppcPlatform(platform)).toEqual({ os, arch });
    expect(fromAppcPlatform({ os, arch })).toEqual(platform);
  });
  it('take variants that make no difference', () => {
    expect(toAppcPlatform({ os: 'linux', architecture: 'arm64', variant: 'v8' })).toEqual({
      os: 'linux',
      arch: 'aarch64',
    });
    expect(toAppcPlatform({ os: 'linux', architecture: 'amd64', variant: 'v3' })).toEqual({
      os: 'linux',
      arch: 'amd64',
    });
    expect(toAppcPlatform({ os: 'linux', architecture: 'arm', variant: 'v8' })).toEqual({
      os: 'linux',
      arch: 'armv7l',
    });
    expect(toAppcPlatform({ os: 'linux', architecture: 'arm', variant: undefined })).toEqual({
      os: 'linux',
      arch: 'armv6l',
    });
  });
  it.each([
    { os: 'windows', architecture: 'amd64' },
    { os: 'linux', architecture: 'vax' },
    { os: 'linux', architecture: 'arm', variant: 'v9' },
    { os: '', architecture: '' },
    { os: 'darwin', architecture: 'riscv64' },
  ])('unknown are refused: %o', (platform) => {
    expect(appcError(() => toAppcPlatform(platform)).code).toBe('ERR_RKT_APPC_PLATFORM');
  });
  it('that labels name but no table has are refused', () => {
    expect(appcError(() => fromAppcPlatform({ os: 'linux', arch: 'arm64' })).message).toBe(
      'no known platform is called "linux/arm64"',
    );
  });
});
