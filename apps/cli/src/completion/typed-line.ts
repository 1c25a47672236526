// SPDX-License-Identifier: Apache-2.0
import type { CommandSpec } from '../args/command.ts';
import { commands } from '../args/commands.ts';
import { type FlagSpec, type GivenFlag, isSpelled } from '../args/flag.ts';
import { globalFlags } from '../args/global-flags.ts';
import { headsOf, membersOf, namesBegunBy, type Shortenable } from '../args/shortened.ts';

/** A command line that is being typed, as far as it is understood. */
export interface TypedLine {
  /** The words before the one that is typed name this. */
  readonly command: CommandSpec | undefined;
  /** The first word of a command that has two, where the second is to come. */
  readonly group: string | undefined;
  readonly given: readonly GivenFlag[];
  /** Operands of the command before the word that is typed. */
  readonly operands: number;
  /** The flag that the typed word is the value of. */
  readonly pending: FlagSpec | undefined;
  /** After `--`: the words are somebody else's. */
  readonly isOver: boolean;
  /** The word that is typed; empty where it has not begun. */
  readonly typed: string;
}

/** Reads words as the parser would, but forgives everything: what is wrong is said when the line is run. */
export function readTypedLine(words: readonly string[]): TypedLine {
  const before = words.slice(0, -1);
  const state: Reading = { head: [], given: [], operands: 0, pending: undefined, isOver: false };
  for (const word of before) readWord(state, word);
  const { given, operands, pending, isOver } = state;
  return { ...named(state.head), given, operands, pending, isOver, typed: words.at(-1) ?? '' };
}

interface Reading {
  /** Words of the command's name. */
  head: readonly string[];
  readonly given: GivenFlag[];
  operands: number;
  pending: FlagSpec | undefined;
  isOver: boolean;
}

function readWord(state: Reading, word: string): void {
  const { command } = named(state.head);
  if (state.pending !== undefined) {
    state.given.push({ flag: state.pending, value: word });
    state.pending = undefined;
  } else if (state.isOver) state.isOver = word !== '---';
  else if (word === '--') state.isOver = true;
  else if (word.length > 1 && word.startsWith('-')) readFlag(state, word);
  else if (command === undefined) state.head = [...state.head, word];
  else {
    state.operands += 1;
    state.isOver = command.operands === 'before' && state.operands > 1;
  }
}

function readFlag(state: Reading, word: string): void {
  const { command } = named(state.head);
  const [spelled = '', ...value] = word.split('=');
  const flag = [...(command?.flags ?? []), ...globalFlags].find((each) => isSpelled(each, spelled));
  if (flag === undefined) return;
  if (value.length > 0) state.given.push({ flag, value: value.join('=') });
  else if (flag.kind === 'text' && flag.bare === undefined) state.pending = flag;
}

/** The command that words name, or any unique beginnings of its words. */
function named(words: readonly string[]): Pick<TypedLine, 'command' | 'group'> {
  const [first, second] = words;
  if (first === undefined) return { command: undefined, group: undefined };
  const head = only(first, headsOf(shown));
  const alone = shown.find(({ name }) => name === head);
  if (alone !== undefined || head === undefined) return { command: alone, group: undefined };
  const member = second === undefined ? undefined : only(second, membersOf(head, shown));
  return {
    command: shown.find(({ name }) => name === `${head} ${member}`),
    group: member === undefined ? head : undefined,
  };
}

const shown = commands.filter(({ hidden }) => hidden !== true);

function only(word: string, names: readonly Shortenable[]): string | undefined {
  const [first, ...others] = namesBegunBy(word, names);
  return others.length === 0 ? first : undefined;
}
