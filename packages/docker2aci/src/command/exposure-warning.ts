// SPDX-License-Identifier: Apache-2.0
import type { FileExposure } from '@rkt/registry';

/** What to say of a file of passwords that others than its owner may read. */
export function exposureWarning(path: string, exposure: FileExposure): string {
  const readers = exposure === 'everyone' ? 'every user' : 'the group of its owner';
  return `${readers} can read the passwords in ${path}`;
}
