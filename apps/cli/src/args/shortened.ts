// SPDX-License-Identifier: Apache-2.0
import type { CommandSpec } from './command.ts';

/** A word that may be shortened. */
export interface Shortenable {
  readonly name: string;
  readonly isNew: boolean;
}

/**
 * The names that a word may be the beginning of; itself alone if it is one. Where one of them was there in rkt 1.30, it is that
 * one: what was a unique beginning then stays one.
 */
export function namesBegunBy(word: string, names: readonly Shortenable[]): readonly string[] {
  if (names.some(({ name }) => name === word)) return [word];
  const fitting = names.filter(({ name }) => name.startsWith(word));
  const old = fitting.filter(({ isNew }) => !isNew);
  return (old.length === 1 ? old : fitting).map(({ name }) => name);
}

/** The first words of commands, each once. */
export function headsOf(commands: readonly CommandSpec[]): readonly Shortenable[] {
  const heads = new Map<string, boolean>();
  for (const { name, isNew = false } of commands) {
    const [head = name] = name.split(' ');
    heads.set(head, isNew && (heads.get(head) ?? true));
  }
  return Array.from(heads, ([name, isNew]) => ({ name, isNew }));
}

/** The second words of the commands of a group. */
export function membersOf(head: string, commands: readonly CommandSpec[]): readonly Shortenable[] {
  return commands
    .filter(({ name }) => name.startsWith(`${head} `))
    .map(({ name, isNew = false }) => ({ name: name.slice(head.length + 1), isNew }));
}
