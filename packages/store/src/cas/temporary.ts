// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { FileContext } from '../context.ts';
import { isOwnerAlive } from '../host/owner.ts';
import { removeTree } from './visit-files.ts';

let sequence = 0;

/** A name in `cas/tmp` nobody else uses. It carries our process, so that others can tell when it is abandoned. */
export function temporaryPath(context: FileContext, purpose: string): string {
  sequence += 1;
  return join(context.layout.temporary, `${context.owner}.${sequence}.${purpose}`);
}

/** Paths in `cas/tmp` whose process is gone. A name without a process is nobody's. */
export function abandonedTemporaries(context: FileContext): readonly string[] {
  return readdirSync(context.layout.temporary)
    .filter((name) => !isOwnerAlive(name.slice(0, Math.max(0, name.indexOf('.')))))
    .map((name) => join(context.layout.temporary, name));
}

/** Removes what crashed processes left. Several processes may do so at once. */
export async function sweepTemporaries(context: FileContext): Promise<void> {
  for (const path of abandonedTemporaries(context)) {
    context.step(`remove ${path}`);
    await removeTree(path);
  }
}
