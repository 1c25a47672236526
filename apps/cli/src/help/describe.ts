// SPDX-License-Identifier: Apache-2.0
import type { Argv, Options } from 'yargs';
import yargs from 'yargs';
import type { CommandSpec } from '../args/command.ts';
import type { FlagSpec } from '../args/flag.ts';
import { globalFlags } from '../args/global-flags.ts';

/**
 * A yargs program that describes and never runs anything: command lines are read by rkt's own parser, whose flags belong
 * to images and whose `---` ends arguments. Both read the same table, so they cannot disagree.
 */
export function blankProgram(argv: readonly string[] = []): Argv {
  // The directory keeps yargs from looking for a package.json below the caller's.
  return yargs([...argv], '/')
    .scriptName('rkt')
    .detectLocale(false)
    .updateStrings({ 'Commands:': 'COMMANDS:' })
    .parserConfiguration({ 'greedy-arrays': false, 'boolean-negation': false, 'parse-positional-numbers': false })
    .exitProcess(false)
    .help(false)
    .version(false);
}

/** Adds what a command takes to a program: its own flags, those of an image and those of every command. */
export function describeFlags(program: Argv, command: CommandSpec | undefined): Argv {
  const own = command?.flags ?? [];
  const described = [...own, ...globalFlags].reduce((to, flag) => to.option(flag.name, optionOf(flag)), program);
  const sections: readonly (readonly [string, readonly FlagSpec[]])[] = [
    ['OPTIONS:', own.filter(({ scope }) => scope === undefined)],
    ['OPTIONS OF AN IMAGE (after it):', own.filter(({ scope }) => scope === 'image')],
    ['GLOBAL OPTIONS:', globalFlags],
  ];
  for (const [title, flags] of sections) {
    const names = flags.map(({ name }) => name);
    if (names.length > 0) described.group(names, title);
  }
  return described;
}

function optionOf(flag: FlagSpec): Options {
  const { kind, short, repeat, choices, hidden, default: standard } = flag;
  const isShown = standard !== undefined && (kind !== 'boolean' || standard !== 'false');
  return {
    describe: describe(flag),
    type: kind === 'boolean' ? 'boolean' : 'string',
    ...(short === undefined ? {} : { alias: short }),
    ...(repeat === true ? { array: true } : {}),
    ...(choices === undefined ? {} : { choices }),
    ...(hidden === true ? { hidden } : {}),
    ...(isShown ? { default: kind === 'boolean' ? standard === 'true' : standard } : {}),
  };
}

/** yargs has no names for values, so a name stands before what is said about it. */
function describe({ summary, placeholder, bare }: FlagSpec): string {
  if (placeholder === undefined) return summary;
  return bare === undefined ? `${placeholder}: ${summary}` : `[=${placeholder}]: ${summary}; "${bare}" if left out`;
}
