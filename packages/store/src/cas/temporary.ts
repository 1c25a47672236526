// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { FileContext } from '../context.ts';
import { isOwnerAlive } from '../host/owner.ts';
import { randomUuid } from '../host/random-uuid.ts';
import { MARK_OF_REMOVAL } from './layout.ts';
import { tidyUp } from './tidy-up.ts';
import { removeTree } from './visit-files.ts';

/**
 * A name in `cas/tmp` nobody else uses, no other thread of this process either. It carries our process, so that others
 * can tell when it is abandoned.
 */
export function temporaryPath(context: FileContext, purpose: string): string {
  return join(context.layout.temporary, `${context.owner}.${randomUuid()}.${purpose}`);
}

/** Paths in `cas/tmp` whose process is gone. A name without a process is nobody's, but for the marks of removals. */
export function abandonedTemporaries(context: FileContext): readonly string[] {
  return readdirSync(context.layout.temporary)
    .filter((name) => !name.endsWith(MARK_OF_REMOVAL))
    .filter((name) => !isOwnerAlive(name.slice(0, Math.max(0, name.indexOf('.')))))
    .map((name) => join(context.layout.temporary, name));
}

/**
 * Removes what crashed processes left. Several processes may do so at once. What cannot be removed keeps nobody from using the
 * store: it is nothing that anybody will look at, and a collection says what is the matter with it.
 */
export async function sweepTemporaries(context: FileContext): Promise<void> {
  for (const path of abandonedTemporaries(context)) {
    context.step(`remove ${path}`);
    await tidyUp(() => removeTree(path));
  }
}
