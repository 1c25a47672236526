// SPDX-License-Identifier: Apache-2.0
import type { CommandSpec } from '../args/command.ts';
import { commands } from '../args/commands.ts';
import { blankProgram, describeFlags } from './describe.ts';

/** Wider lines are hard to read. */
const MAX_WIDTH = 120;

/** Help about a command, for a terminal of so many columns. */
export function commandHelp(
  { name, usage, summary, description, ...spec }: CommandSpec,
  columns: number,
): Promise<string> {
  const about = description === undefined ? summary : `${summary}\n\n${description.replaceAll('\n', ' ')}`;
  return render([`rkt ${name} ${usage}`.trimEnd(), about], { columns, command: { name, usage, summary, ...spec } });
}

/** What rkt is and can do. */
export function overview(columns: number): Promise<string> {
  const about = ['rkt [COMMAND]', 'The application container runner', '"rkt help COMMAND" tells more about a command.'];
  return render(about, { columns, listed: commands.filter(({ hidden }) => hidden !== true) });
}

/** The commands of a group such as `image`. */
export function groupHelp(group: string, members: readonly CommandSpec[], columns: number): Promise<string> {
  return render([`rkt ${group} [COMMAND]`, `Operate on ${group}s`], { columns, listed: members });
}

interface Page {
  readonly columns: number;
  readonly command?: CommandSpec;
  readonly listed?: readonly CommandSpec[];
}

async function render(paragraphs: readonly string[], { columns, command, listed = [] }: Page): Promise<string> {
  const program = blankProgram().wrap(Math.min(columns, MAX_WIDTH)).usage(paragraphs.join('\n\n'));
  for (const { name, summary } of listed) program.command(name, summary);
  return `${await describeFlags(program, command).getHelp()}\n`;
}
