// SPDX-License-Identifier: Apache-2.0

/** A piece of what an app has written. */
export interface LogEntry {
  /** When it was written, as RFC 3339 with nanoseconds. */
  readonly time: string;
  readonly stream: 'stdout' | 'stderr';
  /** As the app wrote it, with the line break if there was one: escape sequences of a terminal are not removed. */
  readonly bytes: Uint8Array;
  /** The line goes on in the next entry of this stream. */
  readonly partial: boolean;
}

const space = 0x20;

/** A line of CRI's log format, `TIME STREAM F|P CONTENT`, without its line break. Undefined for what is none. */
export function parseLogLine(line: Uint8Array): LogEntry | undefined {
  const first = line.indexOf(space);
  const second = line.indexOf(space, first + 1);
  const third = line.indexOf(space, second + 1);
  if (first < 0 || second < 0 || third < 0) return undefined;
  const [time = '', stream, tag] = Buffer.from(line.subarray(0, third)).toString('latin1').split(' ');
  if ((stream !== 'stdout' && stream !== 'stderr') || (tag !== 'F' && tag !== 'P')) return undefined;
  if (Number.isNaN(Date.parse(time))) return undefined;
  const content = Uint8Array.from(line.subarray(third + 1));
  if (tag === 'P') return { time, stream, bytes: content, partial: true };
  const bytes = new Uint8Array(content.length + 1);
  bytes.set(content);
  bytes[content.length] = 0x0a;
  return { time, stream, bytes, partial: false };
}
