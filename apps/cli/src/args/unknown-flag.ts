// SPDX-License-Identifier: Apache-2.0
import { CliError } from '../errors.ts';
import { dockerFlagHint } from '../help/docker-habits.ts';
import { quote } from '../render/quote.ts';
import { commands } from './commands.ts';
import { type FlagSpec, isSpelled } from './flag.ts';

/** Where a flag stood that is none. */
export interface FlagPlace {
  /** The command it was given to; undefined before the command. */
  readonly command: string | undefined;
  readonly known: Iterable<FlagSpec>;
  /** An image stood before it, so that it may have been meant for the app. */
  readonly isAfterImage: boolean;
}

/** The error about a flag that is not declared: what docker's is called here, or where flags of an app go. */
export function unknownFlag(spelled: string, { command, known, isAfterImage }: FlagPlace): CliError {
  const message = `unknown flag: ${quote(spelled, { marks: false })}`;
  const habit = command === undefined ? afterCommand(spelled) : dockerFlagHint(spelled, command);
  if (habit !== undefined) return new CliError('ERR_RKT_CLI_UNKNOWN_FLAG', message, { hint: habit });
  if (spelled === '--version' && !isAfterImage) {
    return new CliError('ERR_RKT_CLI_UNKNOWN_FLAG', message, { hint: "run 'rkt version' for the version" });
  }
  const visible = [...known].filter(({ hidden }) => hidden !== true).map(({ name }) => name);
  const usage = `run '${['rkt help', ...(command === undefined ? [] : [command])].join(' ')}' for usage`;
  const hint = isAfterImage ? `${usage}; arguments of the app go after --: rkt ${command} IMAGE -- ARGS` : usage;
  // One letter is near to too much for a guess.
  if (spelled.length <= 2) return new CliError('ERR_RKT_CLI_UNKNOWN_FLAG', message, { hint });
  return new CliError('ERR_RKT_CLI_UNKNOWN_FLAG', message, { hint, mistyped: { word: spelled, known: visible } });
}

/** Only flags of every command may stand before it. */
function afterCommand(spelled: string): string | undefined {
  const having = commands.filter(
    ({ flags, hidden }) => hidden !== true && flags.some((flag) => isSpelled(flag, spelled)),
  );
  const [command] = having;
  return command && `it goes after the command: rkt ${having.length === 1 ? command.name : 'COMMAND'} ${spelled}`;
}
