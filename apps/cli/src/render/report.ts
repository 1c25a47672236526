// SPDX-License-Identifier: Apache-2.0
import type { FlagValues } from '../args/flag.ts';
import type { Io } from '../wiring/io.ts';
import { documentFormat, type JsonFormat, jsonFormat, renderJson } from './json.ts';

/** What a command has done, thing by thing, on standard output. */
export interface Report<T> extends Disposable {
  /** Tells one: to people as a line, at once; without a line it is not worth telling them. */
  add(done: T, line?: string): void;
}

/**
 * A report in the form that `--format` asks for. JSON is one array, written when the report is disposed: also when the rest
 * failed or was called off, so that what was done is told.
 */
export function openReport<T extends object>(io: Io, flags: FlagValues): Report<T> {
  return reportIn(io, jsonFormat(flags.text('format')));
}

/** The same of what is JSON in any case. */
export function openDocuments<T extends object>(io: Io, flags: FlagValues): Report<T> {
  return reportIn(io, documentFormat(flags));
}

function reportIn<T extends object>({ stdout }: Io, format: JsonFormat | undefined): Report<T> {
  const all: T[] = [];
  return {
    add: (done, line) => {
      if (format !== undefined) all.push(done);
      else if (line !== undefined) stdout.write(`${line}\n`);
    },
    [Symbol.dispose]: () => {
      if (format !== undefined) stdout.write(renderJson(all, format));
    },
  };
}
