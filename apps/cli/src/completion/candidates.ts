// SPDX-License-Identifier: Apache-2.0
import type { FlagSpec } from '../args/flag.ts';
import { globalFlags } from '../args/global-flags.ts';
import { type Candidate, type Candidates, commandsBelow, type Known } from './candidate.ts';
import { operandsOf } from './operands.ts';
import type { TypedLine } from './typed-line.ts';

const NOTHING: Candidates = { words: [], files: false };

/** What may follow on a command line: commands, flags, their values, images, pods; those that begin as the typed word does. */
export async function candidatesFor(line: TypedLine, known: Known): Promise<Candidates> {
  const { words, files } = await allFor(line, known);
  return { words: words.filter(({ word }) => word.startsWith(line.typed)), files };
}

async function allFor(line: TypedLine, known: Known): Promise<Candidates> {
  const { command, group, pending, typed } = line;
  if (pending !== undefined) return valuesOf(pending, typed, '');
  if (line.isOver) return { words: [], files: true };
  const flags = [...(command?.flags ?? []), ...globalFlags].filter(({ hidden }) => hidden !== true);
  const joined = flags.find(({ name }) => typed.startsWith(`--${name}=`));
  if (joined !== undefined) return valuesOf(joined, typed.slice(joined.name.length + 3), `--${joined.name}=`);
  if (typed.startsWith('-')) return { words: flags.flatMap(spellings), files: false };
  if (command !== undefined) return operandsOf(command, line, known);
  return { words: commandsBelow(group), files: false };
}

function spellings({ name, kind, bare, summary: about }: FlagSpec): readonly Candidate[] {
  const alone = { word: `--${name}`, about };
  if (kind === 'boolean') return [alone];
  const valued = { word: `--${name}=`, about };
  return bare === undefined ? [valued] : [alone, valued];
}

/** Values of a flag, each with what stands before it in the word: the name of the flag, members of a list. */
function valuesOf(flag: FlagSpec, typed: string, before: string): Candidates {
  const { kind, choices, familiar, members, placeholder = '' } = flag;
  const list = typed.slice(0, typed.lastIndexOf(',') + 1);
  const values = kind === 'boolean' ? ['true', 'false'] : (choices ?? familiar);
  const words = [
    ...(values ?? []).map((value) => before + value),
    ...(members ?? []).map((value) => before + list + value),
  ];
  if (words.length > 0) return { words: words.map((word) => ({ word, about: '' })), files: false };
  return /FILE|PATH|DIR/.test(placeholder) ? { words: [], files: true } : NOTHING;
}
