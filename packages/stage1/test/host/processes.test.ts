// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createHost } from '../../src/index.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-processes-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

it('finds processes by their root directory, also by a link to it', () => {
  const { all, rootedBelow } = createHost().processes;
  const link = join(dir, 'link');
  symlinkSync(readlinkSync('/proc/self/root'), link);
  expect(rootedBelow(link)).toContain(process.pid);
  expect(rootedBelow(dir)).toEqual([]);
  expect(all()).toContain(process.pid);
});
