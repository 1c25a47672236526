// SPDX-License-Identifier: Apache-2.0
import { type FileExposure, fileExposure } from '@rkt/registry';
import { quote } from '../../render/quote.ts';
import type { Config } from './config.ts';

/** A file of passwords, and who may read it though it is not for them. */
export interface ExposedFile {
  readonly path: string;
  readonly exposure: FileExposure;
}

/** The files of passwords of rkt's own directories that others may read. */
export async function exposedFiles({ passwordFiles }: Config): Promise<readonly ExposedFile[]> {
  const exposures = await Promise.all(passwordFiles.map(fileExposure));
  return passwordFiles.flatMap((path, index) => {
    const exposure = exposures[index];
    return exposure === undefined ? [] : [{ path, exposure }];
  });
}

/** What to tell of such a file, as a warning. */
export function exposureOf({ path, exposure }: ExposedFile): string {
  const readers = exposure === 'everyone' ? 'every user' : 'the group of its owner';
  return `${readers} can read the passwords in ${quote(path)}: chmod 600 it`;
}
