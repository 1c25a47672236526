// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the working copy. */
export const repositoryRoot: string = fileURLToPath(new URL('../../..', import.meta.url));

/** What the tasks make and keep between runs; ignored by git, safe to delete. */
export const cacheDir: string = join(repositoryRoot, '.cache');

/** The executable that `npm run build` leaves. */
export const rktExecutable: string = join(repositoryRoot, 'apps', 'cli', 'dist', 'rkt');
