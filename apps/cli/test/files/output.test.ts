// SPDX-License-Identifier: Apache-2.0
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeOutputDirectory } from '../../src/files/output-directory.ts';
import { writeOutputFile } from '../../src/files/output-file.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-cli-output-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

async function* endless(): AsyncGenerator<Uint8Array, void> {
  for (;;) yield Buffer.alloc(1024);
}

describe('an output file', () => {
  it.each([false, true])('that was there outlives an interrupt (overwrite: %s)', async (overwrite) => {
    const path = join(dir, 'file');
    writeFileSync(path, 'mine');
    const interrupted = new Error('interrupted');
    const signal = AbortSignal.abort(interrupted);
    await expect(writeOutputFile({ path, overwrite, what: 'ACI', signal }, endless())).rejects.toBe(interrupted);
    expect([readdirSync(dir), readFileSync(path, 'utf8')]).toEqual([['file'], 'mine']);
  });

  it('of which half was written is removed by an interrupt', async () => {
    const abort = new AbortController();
    const path = join(dir, 'file');
    const writing = writeOutputFile({ path, overwrite: false, what: 'ACI', signal: abort.signal }, endless());
    await expect.poll(() => existsSync(path)).toBe(true);
    abort.abort(new Error('interrupted'));
    await expect(writing).rejects.toThrow('interrupted');
    expect(readdirSync(dir)).toEqual([]);
  });
});

describe('an output directory', () => {
  const fill = async (path: string): Promise<void> => {
    mkdirSync(path);
    writeFileSync(join(path, 'new'), '');
  };

  it.each(['nowhere', 'other'])(
    'takes the place of a symbolic link to %s, not of what that leads to',
    async (target) => {
      mkdirSync(join(dir, 'other'));
      writeFileSync(join(dir, 'other/mine'), '');
      const path = join(dir, 'out');
      symlinkSync(target, path);
      await expect(writeOutputDirectory({ path, overwrite: false, keep: [] }, fill)).rejects.toThrow('exists');
      await writeOutputDirectory({ path, overwrite: true, keep: [join(dir, 'other')] }, fill);
      expect([readdirSync(path), readdirSync(join(dir, 'other'))]).toEqual([['new'], ['mine']]);
      expect(readdirSync(dir).toSorted()).toEqual(['other', 'out']);
    },
  );
});
