// SPDX-License-Identifier: Apache-2.0
import type { NameValue } from '@rkt/appc';
import { parseAssignment } from '../args/assignment.ts';
import type { FlagValues } from '../args/flag.ts';
import { CliError, reasonOf, usageError } from '../errors.ts';
import { readSmallFile } from '../files/read-small-file.ts';
import { quote } from '../render/quote.ts';
import type { PodEnvironment } from './runtime-app.ts';

const MAX_FILE_BYTES = 1 << 20;

/**
 * The environment of a pod's apps from `--inherit-env`, every `--set-env-file`, `--set-env` and `--env`; the later wins.
 * @throws {CliError} ERR_RKT_CLI_FILE, ERR_RKT_CLI_USAGE for a name that `--set-env` sets twice
 */
export function readPodEnvironment(
  flags: FlagValues,
  env: Readonly<Record<string, string | undefined>>,
): PodEnvironment {
  const fromFiles = flags.texts('set-env-file').flatMap(readEnvironmentFile);
  const fromFlags = flags.texts('set-env').map(parseAssignment);
  const names = fromFlags.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw usageError(`--set-env: key ${quote(twice)} already set`);
  const likeDocker = flags.texts('env').map(parseAssignment);
  const set = [...fromFiles, ...fromFlags, ...likeDocker];
  return { inherited: flags.boolean('inherit-env') ? inherited(env) : [], set };
}

function inherited(env: Readonly<Record<string, string | undefined>>): readonly NameValue[] {
  return Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
}

/** `NAME=VALUE` lines; blank lines and those that begin with `#` or `;` say nothing. */
function readEnvironmentFile(path: string): readonly NameValue[] {
  const text = readSmallFile(path, MAX_FILE_BYTES, 'environment file').toString();
  const variables: NameValue[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*([#;]|$)/.test(line)) continue;
    try {
      variables.push(parseAssignment(line));
    } catch (error) {
      throw unusable(path, `line ${index + 1}: ${reasonOf(error)}`, error);
    }
  }
  return variables;
}

function unusable(path: string, reason: string, cause: unknown): CliError {
  return new CliError('ERR_RKT_CLI_FILE', `cannot use environment file ${quote(path)}: ${reason}`, { cause });
}
