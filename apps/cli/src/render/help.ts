// SPDX-License-Identifier: Apache-2.0
import type { CommandSpec } from '../args/command.ts';
import { commands } from '../args/commands.ts';
import type { FlagSpec } from '../args/flag.ts';
import { globalFlags } from '../args/global-flags.ts';
import { programVersion } from '../wiring/program-version.ts';

/** Help about a command. */
export function renderHelp(command: CommandSpec): string {
  const sections = [
    section('NAME', [`${command.name} - ${command.summary}`]),
    section('USAGE', [`rkt ${command.name} ${command.usage}`.trimEnd()]),
    ...(command.description === undefined ? [] : [section('DESCRIPTION', command.description.split('\n'))]),
  ];
  const own = command.flags.filter(({ scope }) => scope === undefined);
  const perImage = command.flags.filter(({ scope }) => scope === 'image');
  if (own.length > 0) sections.push(section('OPTIONS', flagLines(own)));
  if (perImage.length > 0) sections.push(section('OPTIONS OF AN IMAGE (after it)', flagLines(perImage)));
  return [...sections, section('GLOBAL OPTIONS', flagLines(globalFlags))].join('\n');
}

/** What rkt is and can do. */
export function renderOverview(): string {
  return [
    section('NAME', ['rkt - the application container runner']),
    section('USAGE', ['rkt [command]']),
    section('VERSION', [programVersion()]),
    section('COMMANDS', commandLines(commands)),
    section('DESCRIPTION', [
      'A CLI for running app containers on Linux.',
      '',
      'To get the help on any specific command, run "rkt help command".',
    ]),
    section('OPTIONS', flagLines(globalFlags)),
  ].join('\n');
}

/** The commands of a group such as `image`. */
export function renderGroup(name: string, members: readonly CommandSpec[]): string {
  return [
    section('NAME', [`${name} - Operate on ${name}s`]),
    section('USAGE', [`rkt ${name} [command]`]),
    section('COMMANDS', commandLines(members)),
  ].join('\n');
}

function section(title: string, lines: readonly string[]): string {
  return `${title}:\n${lines.map((line) => (line === '' ? '\n' : `\t${line}\n`)).join('')}`;
}

function commandLines(table: readonly CommandSpec[]): readonly string[] {
  return columns(table.map(({ name, summary }) => [name, summary]));
}

function flagLines(flags: readonly FlagSpec[]): readonly string[] {
  const visible = flags.filter(({ hidden }) => hidden !== true);
  return columns(visible.map((flag) => [spelling(flag), explained(flag)]));
}

function spelling({ name, kind, placeholder, bare }: FlagSpec): string {
  if (kind === 'boolean') return `--${name}`;
  return bare === undefined ? `--${name}=${placeholder ?? 'VALUE'}` : `--${name}[=${placeholder ?? 'VALUE'}]`;
}

function explained({ summary, kind, default: standard }: FlagSpec): string {
  const isPlain = standard === undefined || (kind === 'boolean' && standard === 'false');
  return isPlain ? summary : `${summary} (default: ${standard})`;
}

function columns(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.map(([left, right]) => `${left.padEnd(width)}${right}`);
}
