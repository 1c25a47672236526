// SPDX-License-Identifier: Apache-2.0
import { formatReference, type Reference } from '@rkt/refparse';

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };

/**
 * The name under which the store remembers where an image came from: the same for every spelling of a reference,
 * another for every platform.
 */
export function remoteName(reference: Reference): string {
  return `docker://${formatReference(reference)}#linux/${ARCHITECTURES[process.arch] ?? process.arch}`;
}
