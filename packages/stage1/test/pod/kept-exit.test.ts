// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { keptExitDir, outOfMemoryFile, records } from '../../src/pod/index.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-exit-'));
  mkdirSync(keptExitDir(dir, 'app'), { recursive: true });
  records.writeApp(dir, 'app', { createdAt: 1, startedAt: 2 });
});
afterEach(() => rmSync(dir, { recursive: true }));

function writeExit(text: string): void {
  const file = join(keptExitDir(dir, 'app'), 'app');
  writeFileSync(file, text);
  utimesSync(file, 9, 9);
}

it('is part of the record of an app whose starter did not see the end', () => {
  expect(records.readApp(dir, 'app')).toEqual({ createdAt: 1, startedAt: 2 });
  writeExit('137');
  expect(records.readApp(dir, 'app')).toEqual({ createdAt: 1, startedAt: 2, exitCode: 137, finishedAt: 9000 });
  writeFileSync(outOfMemoryFile(dir, 'app'), '');
  expect(records.readApp(dir, 'app')?.outOfMemory).toBe(true);
});

it('does not count against what the starter has written', () => {
  records.writeApp(dir, 'app', { createdAt: 1, startedAt: 2, finishedAt: 3, exitCode: 4 });
  writeExit('0');
  expect(records.readApp(dir, 'app')?.exitCode).toBe(4);
});

it.each([[''], ['-1'], ['1e9'], ['07777'], ['text']])('is not known from a file that holds %j', (text) => {
  writeExit(text);
  expect(records.readApp(dir, 'app')?.exitCode).toBeUndefined();
});
