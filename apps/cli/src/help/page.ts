// SPDX-License-Identifier: Apache-2.0
import type { CommandSpec } from '../args/command.ts';
import { commands } from '../args/commands.ts';
import type { FlagSpec } from '../args/flag.ts';
import { globalFlags } from '../args/global-flags.ts';

/** What there is to say about a command, out of the table that the parser reads: help and man pages are two forms of it. */
export interface Page {
  /** `rkt`, `rkt image`, `rkt image list`. */
  readonly name: string;
  /** What follows the name in the usage line. */
  readonly usage: string;
  readonly summary: string;
  readonly description: readonly string[];
  readonly sections: readonly Section[];
}

/** A heading with things and what they are. */
export interface Section {
  readonly title: string;
  readonly entries: readonly Entry[];
}

export interface Entry {
  /** What is to be typed, with the names of values in capitals: `-p, --publish=PORT`, `rkt list`. */
  readonly term: string;
  readonly text: string;
}

const POD =
  'POD is a UUID, any unique beginning of one, or the name of an app: then it is the pod that has such an app, of those that';

/** About a command. */
export function commandPage(command: CommandSpec): Page {
  const { name, usage, summary, description, flags, aliases = [], endedFirst = false } = command;
  return {
    name: `rkt ${name}`,
    usage,
    summary,
    description: [
      ...(description === undefined ? [] : [description.replaceAll('\n', ' ')]),
      ...(/\bPOD\b/.test(usage) ? [`${POD} ${endedFirst ? 'have ended' : 'run'} if there are any.`] : []),
      ...(aliases.length === 0 ? [] : [`May also be called ${aliases.map((alias) => `rkt ${alias}`).join(', ')}.`]),
    ],
    sections: filled([
      { title: 'OPTIONS', entries: entriesOf(flags.filter(({ scope }) => scope === undefined)) },
      { title: 'OPTIONS OF AN IMAGE (after it)', entries: entriesOf(flags.filter(({ scope }) => scope === 'image')) },
      { title: 'GLOBAL OPTIONS', entries: entriesOf(globalFlags) },
    ]),
  };
}

/** About rkt: every command. */
export function overviewPage(): Page {
  return {
    name: 'rkt',
    usage: '[COMMAND]',
    summary: 'The application container runner',
    description: [
      '"rkt help COMMAND" tells more about a command. Names of commands may be shortened to any unique beginning.',
    ],
    sections: listing(commands),
  };
}

/** About a group such as `image`: its commands. */
export function groupPage(group: string): Page {
  return {
    name: `rkt ${group}`,
    usage: '[COMMAND]',
    summary: `Operate on ${group}s`,
    description: [],
    sections: listing(commands.filter(({ name }) => name.startsWith(`${group} `))),
  };
}

/** The first words of commands that have two: `image`. */
export function groups(): readonly string[] {
  return [...new Set(commands.flatMap(({ name }) => (name.includes(' ') ? [name.slice(0, name.indexOf(' '))] : [])))];
}

/** The page of every command that is shown, of every group and of rkt itself. */
export function allPages(): readonly Page[] {
  return [overviewPage(), ...groups().map(groupPage), ...commands.filter(isShown).map(commandPage)];
}

function listing(table: readonly CommandSpec[]): readonly Section[] {
  const entries = table.filter(isShown).map(({ name, summary }) => ({ term: `rkt ${name}`, text: summary }));
  return filled([
    { title: 'COMMANDS', entries },
    { title: 'GLOBAL OPTIONS', entries: entriesOf(globalFlags) },
  ]);
}

function filled(sections: readonly Section[]): readonly Section[] {
  return sections.filter(({ entries }) => entries.length > 0);
}

function entriesOf(flags: readonly FlagSpec[]): readonly Entry[] {
  return flags.filter(isShown).map((flag) => ({ term: termOf(flag), text: textOf(flag) }));
}

function isShown({ hidden }: { readonly hidden?: true }): boolean {
  return hidden !== true;
}

function termOf({ name, short, kind, bare, placeholder = 'VALUE' }: FlagSpec): string {
  const value = kind === 'boolean' ? '' : `=${placeholder}`;
  const long = `--${name}${bare === undefined ? value : `[${value}]`}`;
  if (name === 'help') return `-h, ${long}`;
  return short === undefined ? long : `-${short}, ${long}`;
}

function textOf({ summary, kind, bare, choices, repeat, aliases = [], default: standard }: FlagSpec): string {
  const isTold = standard === undefined || standard === '' || (kind === 'boolean' && standard === 'false');
  const facts = [
    ...(bare === undefined ? [] : [`"${bare}" if no value is given`]),
    ...(choices === undefined || choices.every((choice) => summary.includes(choice))
      ? []
      : [`one of ${choices.join(', ')}`]),
    ...(isTold ? [] : [`default: ${standard}`]),
    ...(repeat === true ? ['may be repeated'] : []),
    ...(aliases.length === 0 ? [] : [`also ${aliases.map(spelled).join(', ')}`]),
  ];
  return facts.length === 0 ? summary : `${summary} [${facts.join('; ')}]`;
}

function spelled(alias: string): string {
  return alias.length === 1 ? `-${alias}` : `--${alias}`;
}
