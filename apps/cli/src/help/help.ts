// SPDX-License-Identifier: Apache-2.0
import { commands } from '../args/commands.ts';
import { findCommand } from '../args/parse.ts';
import { commandPage, groupPage, groups, overviewPage, type Page } from './page.ts';

/** The page about what the words name: a command, a group of commands, or without any words rkt itself. */
export function pageAbout(words: readonly string[]): Page {
  const [group = ''] = words;
  if (words.length === 1 && groups().includes(group)) return groupPage(group);
  const { command } = findCommand(words, commands);
  return command === undefined ? overviewPage() : commandPage(command);
}
