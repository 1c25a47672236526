// SPDX-License-Identifier: Apache-2.0
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { PodId, Runtime } from '@rkt/stage1';
import { CliError, reasonOf } from '../errors.ts';
import { quote } from '../render/quote.ts';
import { isPodGone } from './pod-gone.ts';

/** @throws {CliError} ERR_RKT_CLI_FILE */
export function saveUuid(file: string, id: string): void {
  try {
    writeFileSync(file, id);
  } catch (error) {
    const message = `cannot write UUID file ${quote(file)}: ${reasonOf(error)}`;
    throw new CliError('ERR_RKT_CLI_FILE', message, { cause: error });
  }
}

/** A pod that came to nothing must not be looked for by what a script finds in its file. */
export async function forgetUuid(runtime: Runtime, file: string, id: PodId): Promise<void> {
  if (!(await isGone(runtime, id))) return;
  try {
    // Unless it has been given to another pod since.
    if (readFileSync(file, 'utf8') === id) rmSync(file);
  } catch {
    // A file that could not be written in the first place, or is somebody else's now.
    return;
  }
}

async function isGone(runtime: Runtime, id: PodId): Promise<boolean> {
  try {
    await runtime.inspect(id);
    return false;
  } catch (error) {
    if (isPodGone(error)) return true;
    throw error;
  }
}
