// SPDX-License-Identifier: Apache-2.0
import type { Pod, Runtime } from '@rkt/stage1';
import type { Arguments } from '../args/command.ts';
import { usageError } from '../errors.ts';
import { readSmallFile } from '../files/read-small-file.ts';

const MAX_FILE_BYTES = 4096;

/**
 * The UUIDs, or beginnings of them, that a command was given: as operands or in `--uuid-file`.
 * @throws {CliError} ERR_RKT_CLI_USAGE without any, ERR_RKT_CLI_FILE
 */
export function podArguments({ flags, operands }: Arguments): readonly string[] {
  const file = flags.text('uuid-file');
  if (file !== undefined && operands.length > 0) throw usageError('give either a pod UUID or --uuid-file');
  const ids = file === undefined ? operands : [readUuidFile(file)];
  if (ids.length === 0) throw usageError('must provide a pod UUID', "run 'rkt list' to see the pods");
  if (ids.includes('')) throw usageError('UUID cannot be empty');
  return ids;
}

function readUuidFile(path: string): string {
  return readSmallFile(path, MAX_FILE_BYTES, 'UUID file').toString().trim();
}

/** The pod that a UUID or a unique beginning of one names. */
export async function findPod(runtime: Runtime, prefix: string): Promise<Pod> {
  return runtime.inspect(await runtime.resolve(prefix));
}
