// SPDX-License-Identifier: Apache-2.0
import { CliError, usageError } from '../errors.ts';
import { dockerCommandHint } from '../help/docker-habits.ts';
import { quote } from '../render/quote.ts';
import type { Arguments, CommandSpec } from './command.ts';
import { commands } from './commands.ts';
import { type FlagSpec, flagValues } from './flag.ts';
import { type Globals, globalFlags, readGlobals } from './global-flags.ts';
import { type Part, readParts } from './read-parts.ts';
import { headsOf, membersOf, namesBegunBy, type Shortenable } from './shortened.ts';

/** A command line, understood. */
export interface Invocation {
  /** Undefined: only flags were given. */
  readonly command: CommandSpec | undefined;
  readonly globals: Globals;
  readonly args: Arguments;
  /** `--help` was given; operands were not counted. */
  readonly wantsHelp: boolean;
}

/** A command line of which the command is known, and nothing after it read yet. */
export interface CommandLine extends FoundCommand {
  readonly leading: readonly Part[];
}

/** The command that the first words of a command line name. */
export interface FoundCommand {
  readonly command: CommandSpec | undefined;
  /** The last word of the command's name, or of the alias that was typed for it: what its messages begin with. */
  readonly called: string | undefined;
  readonly rest: readonly string[];
}

/**
 * Finds the command of a command line: after global flags, by its name or any beginning of it that fits no other.
 * @throws {CliError} ERR_RKT_CLI_UNKNOWN_COMMAND, ERR_RKT_CLI_UNKNOWN_FLAG, ERR_RKT_CLI_USAGE
 */
export function locateCommand(argv: readonly string[]): CommandLine {
  // Where other programs have a flag.
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-v')) return locateCommand(['version']);
  const parts = readParts(argv, { flags: globalFlags, operands: 'before' });
  const words = parts.filter((part) => part.kind === 'operand').map(({ value }) => value);
  return { ...findCommand(words, commands), leading: parts.filter((part) => part.kind === 'flag') };
}

/**
 * Reads what follows a command: its flags, global flags and operands.
 * @throws {CliError} ERR_RKT_CLI_UNKNOWN_FLAG, ERR_RKT_CLI_USAGE
 */
export function readCommandLine({ command, leading, rest }: CommandLine): Invocation {
  if (command === undefined) return invocation(undefined, leading, []);
  const { name, operands } = command;
  const own = readParts(rest, { flags: [...command.flags, ...globalFlags], operands, command: name });
  const found = invocation(command, [...leading, ...own], command.flags);
  if (!found.wantsHelp) countOperands(command, found.args.operands.length);
  return found;
}

function invocation(command: CommandSpec | undefined, parts: readonly Part[], own: readonly FlagSpec[]): Invocation {
  const given = parts.filter((part) => part.kind === 'flag');
  const flags = flagValues([...own, ...globalFlags], given);
  const operands = parts.filter((part) => part.kind === 'operand').map(({ value }) => value);
  return { command, globals: readGlobals(flags), args: { flags, operands, parts }, wantsHelp: flags.boolean('help') };
}

/**
 * Finds the command that the first words name.
 * @throws {CliError} ERR_RKT_CLI_UNKNOWN_COMMAND
 */
export function findCommand(words: readonly string[], table: readonly CommandSpec[]): FoundCommand {
  const [first, second] = words;
  if (first === undefined) return { command: undefined, called: undefined, rest: [] };
  // A hidden one is neither shortened nor suggested.
  const shown = table.filter(({ name, hidden }) => hidden !== true || name === first);
  const aliased = (name: string) => table.find(({ aliases }) => aliases?.includes(name));
  const alias = aliased(first);
  if (alias !== undefined) return { command: alias, called: first, rest: words.slice(1) };
  const head = choose(first, headsOf(shown), 'rkt');
  const alone = table.find(({ name }) => name === head);
  if (alone !== undefined) return { command: alone, called: head, rest: words.slice(1) };
  const members = membersOf(head, table);
  if (second !== undefined && ['help', '--help', '-h'].includes(second)) {
    return { command: table.find(({ name }) => name === 'help'), called: 'help', rest: [head, ...words.slice(2)] };
  }
  if (second === undefined || second.startsWith('-')) {
    throw usageError(
      `${head} needs a command: ${members.map(({ name }) => name).join(', ')}`,
      `run 'rkt help ${head}' for usage`,
    );
  }
  const rest = words.slice(2);
  const member = aliased(`${head} ${second}`);
  if (member !== undefined) return { command: member, called: second, rest };
  const called = choose(second, members, `rkt ${head}`);
  return { command: table.find(({ name }) => name === `${head} ${called}`), called, rest };
}

function choose(word: string, names: readonly Shortenable[], parent: string): string {
  const fitting = namesBegunBy(word, names);
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) return only;
  const message = `unknown command ${quote(word)} for "${parent}"`;
  const habit = parent === 'rkt app' ? undefined : dockerCommandHint(word);
  if (habit !== undefined) throw new CliError('ERR_RKT_CLI_UNKNOWN_COMMAND', message, { hint: habit });
  if (fitting.length === 0)
    throw new CliError('ERR_RKT_CLI_UNKNOWN_COMMAND', message, {
      mistyped: { word, known: names.map(({ name }) => name) },
    });
  const meant = fitting.map((name) => quote(name)).join(' or ');
  throw new CliError('ERR_RKT_CLI_UNKNOWN_COMMAND', `${message} (did you mean ${meant}?)`);
}

function countOperands(command: CommandSpec, count: number): void {
  const [minimum, complaint] = command.minimum ?? [0, ''];
  const hint = `usage: rkt ${command.name} ${command.usage}`.trimEnd();
  if (count < minimum) throw usageError(complaint, hint);
  if (command.maximum === undefined || count <= command.maximum) return;
  throw usageError(command.maximum === 0 ? 'takes no arguments' : `takes at most ${command.maximum} arguments`, hint);
}
