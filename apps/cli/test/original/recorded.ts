// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';

/** A command line that was given to the original rkt, and what came of it. */
export interface RecordedCase {
  readonly name: string;
  readonly status: number;
  /** After `rkt`, without `--dir`. */
  readonly argv: readonly string[];
  /** `(help)` stands for the help of a command. */
  readonly stdout: string;
  readonly stderr: string;
}

/** Everything in `recorded.txt`, by name. */
export const recorded: ReadonlyMap<string, RecordedCase> = new Map(
  readFileSync(new URL('recorded.txt', import.meta.url), 'utf8')
    .split(/^## /m)
    .slice(1)
    .map(readCase)
    .map((found) => [found.name, found]),
);

/** The case of a name. Throws if it was not recorded. */
export function recordedCase(name: string): RecordedCase {
  const found = recorded.get(name);
  if (found === undefined) throw new TypeError(`nothing was recorded as ${name}`);
  return found;
}

function readCase(text: string): RecordedCase {
  const [head = '', command = '', ...output] = text.split('\n');
  const [name = '', status = ''] = head.split(' ');
  const stream = (mark: string): string =>
    output.flatMap((line) => (line.startsWith(mark) ? [`${line.slice(2)}\n`] : [])).join('');
  return { name, status: Number(status), argv: wordsOf(command), stdout: stream('>'), stderr: stream('!') };
}

/** Words with a space in them are quoted. */
function wordsOf(command: string): readonly string[] {
  const words = [...command.matchAll(/'([^']*)'|\S+/g)].map(([word, quoted]) => quoted ?? word);
  return words.slice(2).filter((word) => word !== '--dir=/var/lib/rkt');
}
