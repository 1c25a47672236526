// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { commands } from '../args/commands.ts';
import { findCommand } from '../args/parse.ts';
import { commandHelp, groupHelp, overview } from '../help/help.ts';
import type { Session } from '../wiring/session.ts';

export async function execute({ io }: Session, { operands }: Arguments): Promise<number> {
  io.stdout.write(await helpFor(operands, io.stdout.columns()));
  return 0;
}

function helpFor(words: readonly string[], columns: number): Promise<string> {
  const members = commands.filter(({ name }) => words.length === 1 && name.startsWith(`${words[0]} `));
  if (members.length > 0) return groupHelp(words[0] ?? '', members, columns);
  const { command } = findCommand(words, commands);
  return command === undefined ? overview(columns) : commandHelp(command, columns);
}
