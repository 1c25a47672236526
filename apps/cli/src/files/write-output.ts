// SPDX-License-Identifier: Apache-2.0
import { usageError } from '../errors.ts';
import type { Session } from '../wiring/session.ts';
import { type OutputFile, writeOutputFile } from './output-file.ts';

/** The path that stands for standard output. */
const STANDARD_OUTPUT = '-';

/**
 * Writes a file as {@link writeOutputFile} does, or to standard output for `-`: not where a person would see it.
 * @throws {CliError} ERR_RKT_CLI_FILE, ERR_RKT_CLI_USAGE
 */
export async function writeOutput(
  { io, interrupts }: Session,
  file: Omit<OutputFile, 'signal'>,
  bytes: AsyncIterable<Uint8Array>,
): Promise<void> {
  if (file.path !== STANDARD_OUTPUT) return await writeOutputFile({ ...file, signal: interrupts.signal }, bytes);
  if (io.stdout.isTTY) {
    throw usageError(`standard output is a terminal: an ${file.what} cannot be shown`, 'send it to a file or a pipe');
  }
  await io.writeBytes(bytes);
}
