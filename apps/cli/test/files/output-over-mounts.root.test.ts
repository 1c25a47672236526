// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeOutputDirectory } from '../../src/files/output-directory.ts';

let dir: string;
let mounted: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-cli-mounts-'));
  mounted = join(dir, 'out/a b/mounted');
  for (const each of [mounted, join(dir, 'precious')]) mkdirSync(each, { recursive: true });
  writeFileSync(join(dir, 'precious/file'), '');
});
afterEach(() => {
  execFileSync('umount', ['--lazy', '--quiet', mounted], { stdio: 'ignore' });
  rmSync(dir, { recursive: true });
});

/** Of the same file system: nothing but the table of mounts shows it. */
function bind(): void {
  execFileSync('mount', ['--bind', join(dir, 'precious'), mounted]);
}

async function fill(path: string): Promise<void> {
  mkdirSync(path);
}

it.each([
  ['before', bind, () => undefined],
  ['meanwhile', () => undefined, bind],
])('replaces no directory in which something was mounted %s', async (_when, before, meanwhile) => {
  before();
  const output = { path: join(dir, 'out'), overwrite: true, keep: [] };
  const writing = writeOutputDirectory(output, async (path) => {
    meanwhile();
    await fill(path);
  });
  await expect(writing).rejects.toMatchObject({
    message: expect.stringMatching(/^refusing to replace ".*\/out": something is mounted at ".*\/a b\/mounted"$/),
    hint: 'unmount it first',
  });
  expect(readdirSync(mounted)).toEqual(['file']);
  expect([readdirSync(dir).toSorted(), readdirSync(join(dir, 'precious'))]).toEqual([['out', 'precious'], ['file']]);
});
