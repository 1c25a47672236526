// SPDX-License-Identifier: Apache-2.0
import { formatReference, type Reference } from '@rkt/refparse';
import type { Platform } from '@rkt/registry';

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };

/** This machine's platform, as it is part of a remote name. */
export function ownPlatform(): Platform {
  return { os: 'linux', architecture: ARCHITECTURES[process.arch] ?? process.arch };
}

/**
 * The name under which the store remembers where an image came from: the same for every spelling of a reference,
 * another for every platform.
 */
export function remoteName(reference: Reference, platform: Platform = ownPlatform()): string {
  const { os, architecture, variant } = platform;
  const parts = [os, architecture, ...(variant === undefined ? [] : [variant])];
  return `docker://${formatReference(reference)}#${parts.join('/')}`;
}
