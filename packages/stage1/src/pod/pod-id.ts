// SPDX-License-Identifier: Apache-2.0
import type { PodId } from '../runtime.ts';

const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function isPodId(text: string): text is PodId {
  return pattern.test(text);
}

/** What may be the beginning of one; everything else would be a path or a pattern. */
export function isPodIdPrefix(text: string): boolean {
  return /^[0-9a-f-]{1,36}$/.test(text);
}
