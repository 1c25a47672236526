// SPDX-License-Identifier: Apache-2.0
import type { Io } from '../../wiring/io.ts';
import { renderJson } from '../json.ts';

/** Of what a line says. Within a version members and types are added, and none is changed or taken away. */
const VERSION = 1;

/** A fact on a line of its own, as `docs/contracts/progress-events.md` has it. */
export function writeJsonLine<T extends { readonly type: string }>(io: Pick<Io, 'stderr' | 'now'>, fact: T): void {
  const time = new Date(io.now()).toISOString();
  io.stderr.write(renderJson({ version: VERSION, time, ...fact }, 'json'));
}
