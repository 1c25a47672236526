// SPDX-License-Identifier: Apache-2.0
import type { CommandSpec } from '../args/command.ts';
import { type Candidates, commandsBelow, type Known } from './candidate.ts';
import type { TypedLine } from './typed-line.ts';

/** What may stand for an operand: the usage line of the command says what it is. */
export async function operandsOf(
  command: CommandSpec,
  { operands, typed }: TypedLine,
  known: Known,
): Promise<Candidates> {
  const name = operandNames(command.usage)[operands] ?? further(command);
  if (name === 'POD') return { words: await known.pods(), files: false };
  if (name === 'IMAGE') {
    // What gets images takes archives as well; what has a scheme of its own or an ID is no file.
    const files = command.flags.some((flag) => flag.name === 'pull-policy') && !/^(docker:|sha512-)/.test(typed);
    return { words: await known.images(typed), files };
  }
  if (name === 'POD|IMAGE') {
    return { words: [...(await known.pods()), ...(await known.images(typed))], files: false };
  }
  if (name === 'COMMAND') return { words: commandsBelow(undefined), files: false };
  if (name.includes('|')) {
    return { words: name.split('|').map((word) => ({ word, about: '' })), files: false };
  }
  return { words: [], files: /FILE|OUTPUT|DIR|PATH|PUBKEY/.test(name) };
}

/** The names in `[FLAGS] IMAGE [-- ARGS...]`, without what flags are named. */
function operandNames(usage: string): readonly string[] {
  return wordsOf(usage).map((word) => word.replace(/\.\.\./, ''));
}

/** What all that follows is: further images, or what the usage line repeats. */
function further({ operands, usage }: CommandSpec): string {
  if (operands === 'images') return 'IMAGE';
  const last = wordsOf(usage).at(-1) ?? '';
  return last.endsWith('...') ? last.slice(0, -'...'.length) : '';
}

function wordsOf(usage: string): readonly string[] {
  const words = usage
    .replace(/\[-[^\]]*\]/g, '')
    .replace(/[[\]]/g, '')
    .split(' ');
  return words.filter((word) => word !== '' && word !== 'FLAGS' && word !== '...' && !word.startsWith('-'));
}
