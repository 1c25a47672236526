// SPDX-License-Identifier: Apache-2.0

import type { Io } from '../../src/wiring/io.ts';
import { liveLines } from '../../src/wiring/live-lines.ts';

/** A process that is none: what is written is kept, signals are sent by the test. */
export interface FakeIo extends Io {
  readonly written: { stdout: string; stderr: string };
  /** Delivers a signal; false if nobody listens, as when the default action would be taken. */
  send(signal: NodeJS.Signals): boolean;
  /** Gives the terminal another size. */
  resize(columns?: number, rows?: number): void;
  /** Lets time go by, and does what is to be done again and again. */
  pass(milliseconds: number): void;
  /** What the process is to end by. */
  endsBy: NodeJS.Signals | undefined;
  time: number;
  /** What is to be executed later. */
  readonly later: { readonly command: readonly string[]; readonly delayMs: number }[];
  /** How standard input was read; undefined: not at all. */
  raw: boolean | undefined;
}

export interface FakeIoOptions {
  readonly uid?: number;
  readonly tty?: boolean;
  /** Standard output is a file, whatever the rest is. */
  readonly stdoutToFile?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: readonly Uint8Array[];
  /** What is typed, chunk by chunk; then the terminal stays open. */
  readonly input?: readonly string[];
}

export function fakeIo(options: FakeIoOptions = {}): FakeIo {
  const { uid = 0, tty = false, env = {}, stdin = [], input = [], stdoutToFile = false } = options;
  const written = { stdout: '', stderr: '' };
  const listeners = new Set<(signal: NodeJS.Signals) => void>();
  const resizing = new Set<() => void>();
  const repeated = new Set<() => void>();
  let { columns = 80, rows = 24 } = options;
  const output = (name: 'stdout' | 'stderr') => ({
    ...liveLines({
      write: (text) => {
        written[name] += text;
      },
      columns: () => columns,
    }),
    isTTY: tty && !(stdoutToFile && name === 'stdout'),
    columns: () => columns,
    rows: () => rows,
  });
  const io: FakeIo = {
    written,
    time: Date.UTC(2026, 0, 2, 3, 4, 5),
    raw: undefined,
    later: [],
    executeLater: (command, delayMs) => void io.later.push({ command, delayMs }),
    stdout: output('stdout'),
    stderr: output('stderr'),
    stdinIsTTY: tty,
    env,
    uid,
    pid: 4711,
    now: () => io.time,
    readBytes: async function* () {
      yield* stdin;
    },
    writeBytes: async (chunks) => {
      for await (const chunk of chunks) written.stdout += Buffer.from(chunk).toString('latin1');
    },
    writeChunk: async (chunk, to) => {
      written[to] += Buffer.from(chunk).toString('latin1');
    },
    readInput: async function* ({ raw, signal }) {
      io.raw = raw;
      for (const text of input) yield Buffer.from(text);
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    },
    ownCommand: async () => ['/usr/bin/rkt'],
    onSignal: (listener) => {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    onResize: (listener) => {
      resizing.add(listener);
      return { [Symbol.dispose]: () => void resizing.delete(listener) };
    },
    every: (_milliseconds, listener) => {
      repeated.add(listener);
      return { [Symbol.dispose]: () => void repeated.delete(listener) };
    },
    endsBy: undefined,
    endBy: (signal) => {
      io.endsBy = signal;
    },
    pass: (milliseconds) => {
      io.time += milliseconds;
      for (const listener of repeated) listener();
    },
    resize: (toColumns = columns, toRows = rows) => {
      columns = toColumns;
      rows = toRows;
      for (const listener of resizing) listener();
    },
    send: (signal) => {
      const told = [...listeners];
      for (const listener of told) listener(signal);
      return told.length > 0;
    },
  };
  return io;
}
