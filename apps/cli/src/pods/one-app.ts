// SPDX-License-Identifier: Apache-2.0
import { usageError } from '../errors.ts';

/**
 * One standard input cannot be that of several apps.
 * @throws {CliError} ERR_RKT_CLI_USAGE
 */
export function requireOneApp(apps: number, hint?: string): void {
  if (apps > 1) throw usageError(`interactive option only supports one image: the pod has ${apps} apps`, hint);
}
