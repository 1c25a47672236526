// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';

/**
 * The name under which the store remembers what came from a URL. Whoever may read the store reads it: it has no login, and of a
 * query, in which a signed URL has its signature, only the SHA-256. What a URL leads to does not depend on its fragment.
 */
export function urlRemoteName({ protocol, host, pathname, search }: URL): string {
  const query = search === '' ? '' : `?sha256:${createHash('sha256').update(search.slice(1)).digest('hex')}`;
  return `${protocol}//${host}${pathname}${query}`;
}
