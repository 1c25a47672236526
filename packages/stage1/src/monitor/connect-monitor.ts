// SPDX-License-Identifier: Apache-2.0
import { closeSync, read, write } from 'node:fs';
import { promisify } from 'node:util';
import { type Host, type Syscalls, SystemCallError } from '../host/index.ts';
import { hasCode } from '../pod/index.ts';
import type { MonitorFiles } from './monitor-files.ts';

/** A piece of what an app writes while one is attached. */
export interface OutputChunk {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Uint8Array;
}

/** The streams of an app that a monitor has. */
export interface MonitorConnection {
  /** What the app writes from now on, until it ends or `close`. To be read once. */
  readonly output: AsyncIterable<OutputChunk>;
  /** To the app's standard input. What an app that has ended does not take is dropped. */
  write(bytes: Uint8Array): Promise<void>;
  /** Leaves; the app's standard input stays open. Idempotent. */
  close(): void;
}

/** Undefined when the monitor is gone. */
export async function connectMonitor(host: Host, files: MonitorFiles): Promise<MonitorConnection | undefined> {
  const { syscalls } = await host.kernel();
  const fd = connect(syscalls, files.attach);
  if (fd === undefined) return undefined;
  let state: 'idle' | 'reading' | 'closed' = 'idle';
  return {
    output: {
      async *[Symbol.asyncIterator]() {
        if (state !== 'idle') return;
        state = 'reading';
        try {
          yield* packets(fd);
        } finally {
          state = 'closed';
          closeSync(fd);
        }
      },
    },
    write: (bytes) => (state === 'closed' ? Promise.resolve() : send(fd, bytes)),
    close: () => {
      // A descriptor that is being read from is not closed under the reader, who is woken instead.
      if (state === 'reading') syscalls.shutdown(fd);
      if (state === 'idle') closeSync(fd);
      if (state === 'idle') state = 'closed';
    },
  };
}

function connect(syscalls: Syscalls, path: string): number | undefined {
  try {
    return syscalls.connectPackets(path);
  } catch (error) {
    const isGone = error instanceof SystemCallError && (error.code === 'ENOENT' || error.code === 'ECONNREFUSED');
    if (isGone || hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** conmon sends at most 8 KiB at once, after a byte that says of which stream it is. */
const maxPacket = 65_536;
const streams: Readonly<Record<number, OutputChunk['stream']>> = { 2: 'stdout', 3: 'stderr' };

async function* packets(fd: number): AsyncIterable<OutputChunk> {
  const buffer = Buffer.alloc(maxPacket);
  for (;;) {
    const length = await readPacket(fd, buffer);
    if (length === 0) return;
    const stream = streams[buffer[0] ?? 0];
    if (stream !== undefined) yield { stream, bytes: Uint8Array.from(buffer.subarray(1, length)) };
  }
}

async function readPacket(fd: number, buffer: Buffer): Promise<number> {
  try {
    return (await promisify(read)(fd, buffer, 0, buffer.length, null)).bytesRead;
  } catch (error) {
    if (hasCode(error, 'ECONNRESET')) return 0;
    throw error;
  }
}

/** What conmon takes at once. */
const chunkBytes = 8_192;

async function send(fd: number, bytes: Uint8Array): Promise<void> {
  try {
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      await promisify(write)(fd, bytes.subarray(at, at + chunkBytes));
    }
  } catch (error) {
    if (!hasCode(error, 'EPIPE', 'ECONNRESET')) throw error;
  }
}
