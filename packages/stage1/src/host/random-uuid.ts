// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';

/** A random UUID, from the kernel (random(4)): all of node:crypto for one would take 4 ms at every start. */
export function randomUuid(): string {
  return readFileSync('/proc/sys/kernel/random/uuid', 'latin1').trim();
}
