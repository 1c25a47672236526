// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, open, stat } from 'node:fs/promises';
import { pause } from '../pause.ts';
import { hasCode } from '../pod/index.ts';
import { type LogEntry, parseLogLine } from './log-line.ts';

export interface ReadLogOptions {
  /** Only so many of the last lines there are. @default all */
  readonly tail: number | undefined;
  /** Only what was written then or later: milliseconds since the epoch. @default everything */
  readonly since: number | undefined;
  /** Absent: what there is. Otherwise what is still to come, too, until this says that nothing will. */
  readonly ended: (() => boolean) | undefined;
  readonly signal: AbortSignal | undefined;
}

const pollMs = 100;

/** The entries of a log file that may grow, and be replaced by a new one when it is full. */
export async function* readLog(path: string, options: ReadLogOptions): AsyncIterable<LogEntry> {
  const { since = Number.NEGATIVE_INFINITY } = options;
  const handle = await open(path, 'r');
  let skip = await linesBefore(handle, options);
  for await (const entry of growing(path, handle, options)) {
    if (skip <= 0 && Date.parse(entry.time) >= since) yield entry;
    if (!entry.partial) skip -= 1;
  }
}

/** Of the very file that is read then: another may take its place between the two. */
async function linesBefore(handle: FileHandle, { tail, signal }: ReadLogOptions): Promise<number> {
  if (tail === undefined) return 0;
  try {
    return (await countLines(handle, signal)) - tail;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

interface OpenLog {
  readonly handle: FileHandle;
  position: number;
}

async function* growing(path: string, first: FileHandle, { ended, signal }: ReadLogOptions): AsyncIterable<LogEntry> {
  let log: OpenLog = { handle: first, position: 0 };
  try {
    for (;;) {
      signal?.throwIfAborted();
      // Asked before reading: what was written before the end is read after it.
      const over = ended?.() ?? true;
      yield* unread(log);
      const next = await replacement(path, log.handle);
      if (next !== undefined) {
        // What was written before another file took its place, and after we had come to the end of this one.
        yield* unread(log);
        await log.handle.close();
        log = { handle: next, position: 0 };
      } else if (over) return;
      else await pause(pollMs, signal);
    }
  } finally {
    await log.handle.close();
  }
}

async function* unread(log: OpenLog): AsyncIterable<LogEntry> {
  for await (const { entry, end } of entries(log.handle, log.position)) {
    log.position = end;
    if (entry !== undefined) yield entry;
  }
}

/** A last line that has not ended counts. */
async function countLines(handle: FileHandle, signal: AbortSignal | undefined): Promise<number> {
  let lines = 0;
  let isOpen = false;
  for await (const { entry } of entries(handle, 0)) {
    signal?.throwIfAborted();
    if (entry === undefined) continue;
    isOpen = entry.partial;
    if (!isOpen) lines += 1;
  }
  return isOpen ? lines + 1 : lines;
}

interface Positioned {
  /** Undefined for a line that is none. */
  readonly entry: LogEntry | undefined;
  /** Where the next one begins. */
  readonly end: number;
}

const blockBytes = 256 * 1024;
const lineBreak = 0x0a;

/** Whole lines from a position to the end of the file. One that is longer than a block, which conmon writes none, is cut. */
async function* entries(handle: FileHandle, from: number): AsyncIterable<Positioned> {
  const block = Buffer.alloc(blockBytes);
  let position = from;
  for (;;) {
    const { bytesRead } = await handle.read(block, 0, blockBytes, position);
    let at = 0;
    for (;;) {
      const found = block.subarray(0, bytesRead).indexOf(lineBreak, at);
      if (found < 0) break;
      const entry = parseLogLine(block.subarray(at, found));
      at = found + 1;
      yield { entry, end: position + at };
    }
    if (at === 0 && bytesRead < blockBytes) return;
    position += at === 0 ? bytesRead : at;
  }
}

/** The file that has taken the place of one that is open; undefined when none has. */
async function replacement(path: string, handle: FileHandle): Promise<FileHandle | undefined> {
  const ours = await handle.stat();
  try {
    const { ino, dev } = await stat(path);
    return ino === ours.ino && dev === ours.dev ? undefined : await open(path, 'r');
  } catch (error) {
    // Removed with its pod, or moved with it.
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
