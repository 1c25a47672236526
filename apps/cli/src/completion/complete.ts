// SPDX-License-Identifier: Apache-2.0
import { flagValues } from '../args/flag.ts';
import { globalFlags, readGlobals } from '../args/global-flags.ts';
import { oneLine } from '../render/quote.ts';
import type { Io } from '../wiring/io.ts';
import type { Libraries } from '../wiring/libraries.ts';
import { createSession } from '../wiring/session.ts';
import type { Candidates } from './candidate.ts';
import { candidatesFor } from './candidates.ts';
import { knownTo } from './known.ts';
import { readTypedLine, type TypedLine } from './typed-line.ts';

/** A shell puts a candidate on the command line as it is: nothing in it may mean something to the shell. */
const HARMLESS = /^[A-Za-z0-9._:/@%+=,~-]+$/;

/**
 * Prints what may follow on a command line whose last word is being typed: a line `WORD TAB ABOUT` for each, and
 * `:files` where files may follow, too. Standard error stays empty: the user is typing.
 */
export async function complete(words: readonly string[], io: Io, libraries: Libraries): Promise<void> {
  const { words: found, files } = await find(readTypedLine(words), io, libraries);
  const lines = found
    .filter(({ word }) => HARMLESS.test(word))
    .map(({ word, about }) => (about === '' ? word : `${word}\t${oneLine(about)}`));
  if (files) lines.push(':files');
  io.stdout.write(lines.map((line) => `${line}\n`).join(''));
}

async function find(line: TypedLine, io: Io, libraries: Libraries): Promise<Candidates> {
  try {
    const ofRkt = line.given.filter(({ flag }) => globalFlags.includes(flag));
    const globals = readGlobals(flagValues(globalFlags, ofRkt));
    const silent = { ...io, stderr: { ...io.stderr, write: () => undefined } };
    await using session = createSession({ io: silent, globals, libraries, prefix: 'rkt' });
    return await candidatesFor(line, knownTo(session));
  } catch {
    // A store that cannot be read, a wrong flag: it is told when the line is run.
    return { words: [], files: false };
  }
}
