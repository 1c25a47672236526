// SPDX-License-Identifier: Apache-2.0
import type { Argv } from 'yargs';
import type { CommandSpec } from '../args/command.ts';
import { commands } from '../args/commands.ts';
import { completionKey } from './completion-key.ts';
import { blankProgram, describeFlags } from './describe.ts';

export type Shell = 'bash' | 'zsh';

/** The script that has a shell ask rkt what may follow. */
export async function completionScript(shell: Shell): Promise<string> {
  let script = '';
  const program = asIn(shell, () => blankProgram().completion('completion', false));
  await program.parse(['completion'], {}, (_error, _argv, output) => {
    script = output;
  });
  // The command of yargs' own comment names no shell.
  const installed = script.replace(
    /^# Installation: .*(\n#.*OSX\.)?$/m,
    `# Installation: rkt completion ${shell} >> ~/.${shell}rc`,
  );
  // yargs takes the shell it writes for from the environment: when asked, it must be told the one that asks.
  return `${installed.replaceAll(`rkt ${completionKey}`, `SHELL=${shell} ZSH_NAME= rkt ${completionKey}`)}\n`;
}

/** What may follow on a command line that is being typed, its last word last; one per line on standard output. */
export async function printCompletions(words: readonly string[]): Promise<void> {
  await programOf(commands, blankProgram([completionKey, ...words])).parse();
}

/** The table as a tree of commands. */
function programOf(table: readonly CommandSpec[], program: Argv): Argv {
  const groups = new Map<string, CommandSpec[]>();
  for (const command of table.filter(({ hidden }) => hidden !== true)) {
    const space = command.name.indexOf(' ');
    if (space < 0) {
      program.command(command.name, command.summary, (own) => describeFlags(own, command));
      continue;
    }
    const group = command.name.slice(0, space);
    groups.set(group, [...(groups.get(group) ?? []), { ...command, name: command.name.slice(space + 1) }]);
  }
  for (const [group, members] of groups) {
    program.command(group, `Operate on ${group}s`, (own) => programOf(members, own));
  }
  return describeFlags(program, undefined);
}

/** yargs looks at the environment, once, when a program is made. */
function asIn<T>(shell: Shell, make: () => T): T {
  const { SHELL, ZSH_NAME } = process.env;
  process.env['SHELL'] = shell;
  delete process.env['ZSH_NAME'];
  try {
    return make();
  } finally {
    restore('SHELL', SHELL);
    restore('ZSH_NAME', ZSH_NAME);
  }
}

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}
