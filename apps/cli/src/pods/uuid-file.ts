// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs';
import { CliError, reasonOf } from '../errors.ts';
import { quote } from '../render/quote.ts';

/** @throws {CliError} ERR_RKT_CLI_FILE */
export function saveUuid(file: string, id: string): void {
  try {
    writeFileSync(file, id);
  } catch (error) {
    const message = `cannot write UUID file ${quote(file)}: ${reasonOf(error)}`;
    throw new CliError('ERR_RKT_CLI_FILE', message, { cause: error });
  }
}
