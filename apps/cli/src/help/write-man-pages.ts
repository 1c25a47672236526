// SPDX-License-Identifier: Apache-2.0
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cannotWrite, writeOutputFile } from '../files/output-file.ts';
import { programVersion } from '../wiring/program-version.ts';
import { manPages } from './man-pages.ts';

/**
 * Writes the man pages into a directory, which is made if it is not there. Pages of another version are replaced.
 * @throws {CliError} ERR_RKT_CLI_FILE
 */
export async function writeManPages(directory: string, signal: AbortSignal): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
  } catch (error) {
    throw cannotWrite(directory, error);
  }
  for (const { file, content } of manPages(programVersion())) {
    const page = { path: join(directory, file), overwrite: true, what: 'man page', signal };
    await writeOutputFile(page, bytesOf(content));
  }
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
