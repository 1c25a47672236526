// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { isatty } from 'node:tty';
import { liveLines } from './live-lines.ts';

/** Where text goes. */
export interface Output {
  write(text: string): void;
  readonly isTTY: boolean;
  /** Width of the terminal in columns. */
  columns(): number;
  /** Height of the terminal in lines. */
  rows(): number;
  /**
   * Keeps lines below everything that is written, in the place of those drawn before; none takes them away. They are no
   * wider than the terminal and fewer than its lines.
   */
  draw(lines: readonly string[]): void;
}

/** The process around the command line; a test gives its own. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdinIsTTY: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
  readonly pid: number;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Bytes of standard input, to its end. To be asked for once. */
  readBytes(): AsyncIterable<Uint8Array>;
  /** Bytes to standard output, as fast as they are taken. */
  writeBytes(chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /** The same of one chunk to either output. */
  writeChunk(chunk: Uint8Array, to: 'stdout' | 'stderr'): Promise<void>;
  /** Standard input until its end or the signal; `raw`: every key of the terminal at once, without echo. */
  readInput(options: { readonly raw: boolean; readonly signal: AbortSignal }): AsyncIterable<Uint8Array>;
  /** What executes this program again: a path, and the arguments that come before its own. */
  ownCommand(): Promise<readonly string[]>;
  /** Executes a command when so many milliseconds have passed, also when this process has ended by then. */
  executeLater(command: readonly string[], delayMs: number): void;
  /** Calls `listener` for SIGINT, SIGTERM and SIGHUP until disposed. */
  onSignal(listener: (signal: NodeJS.Signals) => void): Disposable;
  /** Calls `listener` when the terminal got another size, until disposed. */
  onResize(listener: () => void): Disposable;
  /** Calls `listener` again and again until disposed; that alone keeps no process from ending. */
  every(milliseconds: number, listener: () => void): Disposable;
  /** Has the process end by a signal, as if nobody had listened to it, when it ends. */
  endBy(signal: NodeJS.Signals): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The real process. */
export function processIo(): Io {
  return {
    stdout: output(process.stdout),
    stderr: output(process.stderr),
    // Not asked of process.stdin, which would be opened for it.
    stdinIsTTY: isatty(0),
    env: process.env,
    uid: process.geteuid?.() ?? 0,
    pid: process.pid,
    now: Date.now,
    readBytes: () => process.stdin,
    writeBytes: async (chunks) => {
      const { pipeline } = await import('node:stream/promises');
      await pipeline(chunks, process.stdout, { end: false });
    },
    writeChunk: (chunk, to) => writeChunk(process[to], chunk),
    readInput,
    ownCommand: async () => {
      const { isSea } = await import('node:sea');
      const { execPath, execArgv, argv } = process;
      return isSea() ? [execPath] : [execPath, ...execArgv, argv[1] ?? ''];
    },
    executeLater: (command, delayMs) => {
      const script = 'sleep "$1"; shift; exec "$@"';
      const args = ['-c', script, 'sh', String(delayMs / 1000), ...command];
      spawn('/bin/sh', args, { detached: true, stdio: 'ignore' }).unref();
    },
    onSignal: (listener) => listen(SIGNALS, listener),
    onResize: (listener) => listen(['SIGWINCH'], listener),
    every: (milliseconds, listener) => {
      const timer = setInterval(listener, milliseconds).unref();
      return { [Symbol.dispose]: () => clearInterval(timer) };
    },
    // A shell goes on with its loop after a status, whatever number that is, and ends it after a signal.
    endBy: (signal) => void process.once('exit', () => process.kill(process.pid, signal)),
  };
}

/**
 * Resolves when the chunk has been taken, or cannot be: that is told where the process begins. A stream whose reader went
 * away never drains.
 */
function writeChunk(stream: NodeJS.WriteStream, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve) => void stream.write(chunk, () => resolve()));
}

async function* readInput({
  raw,
  signal,
}: {
  readonly raw: boolean;
  readonly signal: AbortSignal;
}): AsyncIterable<Uint8Array> {
  const { stdin } = process;
  const end = (): void => {
    if (raw && !stdin.destroyed) stdin.setRawMode(false);
    stdin.destroy();
  };
  if (signal.aborted) return;
  signal.addEventListener('abort', end, { once: true });
  if (raw) stdin.setRawMode(true);
  try {
    for await (const chunk of stdin) yield chunk;
  } catch (error) {
    // A stream that is destroyed while it is read from complains.
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', end);
    end();
  }
}

function listen(signals: readonly NodeJS.Signals[], listener: (signal: NodeJS.Signals) => void): Disposable {
  for (const signal of signals) process.on(signal, listener);
  return {
    [Symbol.dispose]: () => {
      for (const signal of signals) process.off(signal, listener);
    },
  };
}

function output(stream: NodeJS.WriteStream): Output {
  // A pseudo-terminal that nobody gave a size says 0.
  const columns = (): number => (stream.columns > 0 ? stream.columns : 80);
  return {
    ...liveLines({ write: (text) => void stream.write(text), columns }),
    isTTY: stream.isTTY === true,
    columns,
    rows: () => (stream.rows > 0 ? stream.rows : 24),
  };
}
