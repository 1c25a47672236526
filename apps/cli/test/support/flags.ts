// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../../src/args/command.ts';
import { locateCommand, readCommandLine } from '../../src/args/parse.ts';

/** What a command would get of this command line. */
export function argumentsOf(...argv: readonly string[]): Arguments {
  return readCommandLine(locateCommand(argv)).args;
}
