// SPDX-License-Identifier: Apache-2.0
import type { FlagSpec, FlagValues } from '../args/flag.ts';
import type { Io } from '../wiring/io.ts';
import { describeError, renderError } from './error.ts';
import { writeJsonLine } from './progress/json-lines.ts';
import { oneLine } from './quote.ts';

/** `quiet` leaves out what tells how things go on; `json` has every line be an object. */
export type MessageForm = 'text' | 'quiet' | 'json';

/** The form that a command's `--progress` and `--quiet` ask for, if it has them. */
export function messageForm(specs: readonly FlagSpec[], flags: FlagValues): MessageForm {
  if (!specs.some(({ name }) => name === 'progress')) return 'text';
  if (flags.text('progress') === 'json') return 'json';
  return flags.boolean('quiet') ? 'quiet' : 'text';
}

/** What a command has to say besides its result: on standard error, safe to print. */
export interface Messages {
  /** How things go on, each detail on a line of its own; not with `--quiet`. */
  note(message: string, details?: readonly string[]): void;
  /** What a flag on the command line has asked for; not with `--quiet` either. */
  reminder(message: string): void;
  /** What may well not be as it was meant. */
  warning(message: string): void;
  /** What the command itself says. */
  say(message: string): void;
  /** A line for a person to read as it stands, safe to print already. */
  show(line: string): void;
  /** Of the command itself, as a warning. */
  warn(message: string): void;
  /** That something could not be done. */
  report(error: unknown): void;
}

export interface MessageOptions {
  /** What messages of the command itself begin with; others begin with `rkt`. */
  readonly prefix: string;
  /** As in {@link ErrorStyle}. */
  readonly command?: string;
  readonly form: MessageForm;
  /** Tell also what led to an error. */
  readonly debug: boolean;
  /** As in {@link ErrorStyle}. */
  readonly localConfig?: string;
}

export function createMessages(io: Io, options: MessageOptions): Messages {
  const { prefix, command = prefix, form } = options;
  const write = (from: string, level: 'info' | 'warning', message: string): void => {
    if (form === 'json') writeJsonLine(io, { type: 'message', level, message });
    else io.stderr.write(`${from}: ${level === 'warning' ? 'warning: ' : ''}${oneLine(message)}\n`);
  };
  const unlessQuiet = (level: 'info' | 'warning', message: string): void => {
    if (form !== 'quiet') write('rkt', level, message);
  };
  return {
    note: (message, details = []) => {
      if (form === 'json') return unlessQuiet('info', [message, ...details].join(' '));
      unlessQuiet('info', message);
      if (form === 'text') for (const detail of details) io.stderr.write(`  ${oneLine(detail)}\n`);
    },
    reminder: (message) => unlessQuiet('warning', message),
    warning: (message) => write('rkt', 'warning', message),
    say: (message) => write(prefix, 'info', message),
    show: (line) => {
      if (form === 'json') writeJsonLine(io, { type: 'message', level: 'info', message: line });
      else io.stderr.write(`${line}\n`);
    },
    warn: (message) => write(prefix, 'warning', message),
    report: (error) => {
      if (form === 'json') writeJsonLine(io, { type: 'error', command, ...describeError(error, options) });
      else io.stderr.write(renderError(error, options));
    },
  };
}
