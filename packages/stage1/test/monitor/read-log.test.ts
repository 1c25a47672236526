// SPDX-License-Identifier: Apache-2.0
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseLogLine } from '../../src/monitor/log-line.ts';
import { type ReadLogOptions, readLog } from '../../src/monitor/read-log.ts';

/** Called when the reader has come to the end of a file, and looks whether another has taken its place. */
const atEnd = vi.hoisted(() => ({ act: (): void => undefined }));
vi.mock('node:fs/promises', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:fs/promises')>();
  const stat = (path: string): Promise<import('node:fs').Stats> => {
    atEnd.act();
    return real.stat(path);
  };
  return { ...real, stat };
});

const time = '2026-11-26T01:32:58.117677576+00:00';
const line = (text: string, tag = 'F', at = time): string => `${at} stdout ${tag} ${text}\n`;

describe('a line of a log', () => {
  it('is what the app wrote, byte for byte', () => {
    const entry = parseLogLine(Buffer.concat([Buffer.from(`${time} stderr F `), Buffer.of(0xff, 0x1b, 0x20)]));
    expect(entry).toEqual({ time, stream: 'stderr', bytes: Uint8Array.of(0xff, 0x1b, 0x20, 0x0a), partial: false });
    const partial = parseLogLine(Buffer.from(`${time} stdout P `));
    expect(partial).toEqual({ time, stream: 'stdout', bytes: new Uint8Array(0), partial: true });
  });

  it('is none otherwise, whatever it is', () => {
    for (const text of ['', time, `${time} stdout`, `${time} stdout F`, `${time} stdin F x`, 'now stdout F x']) {
      expect(parseLogLine(Buffer.from(text))).toBeUndefined();
    }
    fc.assert(fc.property(fc.uint8Array(), (bytes) => parseLogLine(bytes) === undefined));
  });
});

describe('a log', () => {
  let file: string;
  beforeEach(() => {
    file = join(mkdtempSync(join(tmpdir(), 'rkt-log-')), 'log');
  });
  afterEach(() => rmSync(join(file, '..'), { recursive: true }));

  async function read(options: Partial<ReadLogOptions> = {}): Promise<string> {
    const all = { tail: undefined, since: undefined, ended: undefined, signal: undefined, ...options };
    let text = '';
    for await (const { bytes } of readLog(file, all)) text += Buffer.from(bytes).toString();
    return text;
  }

  it('joins the parts of a line, counts it once, and counts one that has not ended', async () => {
    writeFileSync(file, `${line('a')}${line('b', 'P')}${line('c')}damaged\n${line('d', 'P')}`);
    expect(await read()).toBe('a\nbc\nd');
    expect(await read({ tail: 0 })).toBe('');
    expect(await read({ tail: 1 })).toBe('d');
    expect(await read({ tail: 2 })).toBe('bc\nd');
    expect(await read({ tail: 9 })).toBe('a\nbc\nd');
  });

  it('leaves out what was written before a moment', async () => {
    writeFileSync(file, `${line('old', 'F', '2026-01-01T00:00:00.5+00:00')}${line('new')}`);
    expect(await read({ since: Date.parse('2026-01-01T00:00:01Z') })).toBe('new\n');
    expect(await read({ since: Date.parse('2026-01-01T00:00:00Z') })).toBe('old\nnew\n');
  });

  it('is read across the limits of blocks', async () => {
    const texts = Array.from({ length: 9_000 }, (_, index) => `${index}`.padEnd(60, '.'));
    writeFileSync(file, texts.map((text) => line(text)).join(''));
    expect(await read()).toBe(texts.map((text) => `${text}\n`).join(''));
  });

  it('is followed while it grows, is replaced, and until nothing will come', async () => {
    writeFileSync(file, line('first'));
    let asked = 0;
    const ended = (): boolean => {
      asked += 1;
      if (asked === 2) appendFileSync(file, line('second').slice(0, 50));
      if (asked === 3) appendFileSync(file, line('second').slice(50));
      if (asked === 4) {
        appendFileSync(file, line('third'));
        writeFileSync(`${file}.new`, line('fourth'));
        renameSync(`${file}.new`, file);
      }
      return asked >= 4;
    };
    expect(await read({ ended })).toBe('first\nsecond\nthird\nfourth\n');
  });

  it.each([[undefined], [1]])('loses nothing that was written just before it was replaced (tail %s)', async (tail) => {
    writeFileSync(file, line('first'));
    let looks = 0;
    atEnd.act = () => {
      looks += 1;
      if (looks > 1) return;
      appendFileSync(file, line('second'));
      writeFileSync(`${file}.new`, line('third'));
      renameSync(`${file}.new`, file);
    };
    try {
      expect(await read({ tail })).toBe('first\nsecond\nthird\n');
    } finally {
      atEnd.act = () => undefined;
    }
  });

  it('is not followed any more when that is given up, and also when it is gone', async () => {
    writeFileSync(file, line('first'));
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('enough')), 20);
    await expect(read({ ended: () => false, signal: controller.signal })).rejects.toThrow('enough');
    let asked = 0;
    const ended = (): boolean => {
      asked += 1;
      if (asked === 2) rmSync(file);
      return asked > 2;
    };
    expect(await read({ ended })).toBe('first\n');
  });
});
