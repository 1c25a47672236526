// SPDX-License-Identifier: Apache-2.0
import { stat } from 'node:fs/promises';
import { errorCode } from '../error-code.ts';

const READABLE_BY_ALL = 0o004;

/** Whether every user of the machine may read a file. One that is not there is read by nobody. */
export async function isReadableByAll(path: string): Promise<boolean> {
  try {
    return ((await stat(path)).mode & READABLE_BY_ALL) !== 0;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}
