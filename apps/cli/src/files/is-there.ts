// SPDX-License-Identifier: Apache-2.0
import { lstatSync } from 'node:fs';
import { errnoOf } from '../errors.ts';

/** Whether there is anything under a path, a symbolic link that leads nowhere included. @throws the system's errors */
export function isThere(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}
