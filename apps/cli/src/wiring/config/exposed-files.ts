// SPDX-License-Identifier: Apache-2.0
import { isReadableByAll } from '@rkt/registry';
import { quote } from '../../render/quote.ts';
import type { Config } from './config.ts';

/** The files of passwords of rkt's own directories that every user of the machine may read. */
export async function exposedFiles({ passwordFiles }: Config): Promise<readonly string[]> {
  const exposed = await Promise.all(passwordFiles.map(isReadableByAll));
  return passwordFiles.filter((_, index) => exposed[index]);
}

/** What to tell of such a file, as a warning. */
export function exposureOf(path: string): string {
  return `every user can read the passwords in ${quote(path)}: chmod 600 it`;
}
