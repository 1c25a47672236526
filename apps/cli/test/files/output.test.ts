// SPDX-License-Identifier: Apache-2.0
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mountPoints, mountsBelow } from '../../src/files/mounts-below.ts';
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
  it.each([
    [false, 'exists'],
    [true, 'interrupted'],
  ])('that was there outlives an interrupt (overwrite: %s)', async (overwrite, message) => {
    const path = join(dir, 'file');
    writeFileSync(path, 'mine');
    const signal = AbortSignal.abort(new Error('interrupted'));
    await expect(writeOutputFile({ path, overwrite, what: 'ACI', signal }, endless())).rejects.toThrow(message);
    expect([readdirSync(dir), readFileSync(path, 'utf8')]).toEqual([['file'], 'mine']);
  });

  it('of which half was written is removed by an interrupt', async () => {
    const abort = new AbortController();
    const path = join(dir, 'file');
    const writing = writeOutputFile({ path, overwrite: false, what: 'ACI', signal: abort.signal }, endless());
    await expect.poll(() => readdirSync(dir).length).toBe(1);
    expect(existsSync(path)).toBe(false);
    abort.abort(new Error('interrupted'));
    await expect(writing).rejects.toThrow('interrupted');
    expect(readdirSync(dir)).toEqual([]);
  });
});

describe('an output file that fails', () => {
  it('never stands under its name, and one that comes meanwhile stays', async () => {
    const path = join(dir, 'file');
    const { signal } = new AbortController();
    const bytes = async function* (fails: boolean): AsyncGenerator<Uint8Array, void> {
      yield Buffer.alloc(100_000);
      expect(readdirSync(dir)).not.toContain('file');
      if (fails) throw new Error('damaged');
      writeFileSync(path, 'theirs');
    };
    const output = { path, overwrite: false, what: 'ACI', signal };
    await expect(writeOutputFile(output, bytes(true))).rejects.toThrow('damaged');
    expect(readdirSync(dir)).toEqual([]);
    await expect(writeOutputFile(output, bytes(false))).rejects.toThrow('exists (try --overwrite)');
    expect([readdirSync(dir), readFileSync(path, 'utf8')]).toEqual([['file'], 'theirs']);
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

  it('is made where it was asked for, wherever the path to the place leads meanwhile', async () => {
    const place = join(dir, 'place');
    for (const each of ['place/out', 'other/out']) mkdirSync(join(dir, each), { recursive: true });
    for (const each of ['place/out/old', 'other/out/precious']) writeFileSync(join(dir, each), '');
    await writeOutputDirectory({ path: join(place, 'out'), overwrite: true, keep: [] }, async (path) => {
      renameSync(place, join(dir, 'moved'));
      symlinkSync('other', place);
      await fill(path);
    });
    expect([readdirSync(join(dir, 'moved')), readdirSync(join(dir, 'moved/out'))]).toEqual([['out'], ['new']]);
    expect([readdirSync(join(dir, 'other')), readdirSync(join(dir, 'other/out'))]).toEqual([['out'], ['precious']]);
  });

  it('is filled where nobody else may enter', async () => {
    await writeOutputDirectory({ path: join(dir, 'out'), overwrite: false, keep: [] }, async (path) => {
      const [aside = ''] = readdirSync(dir);
      expect(statSync(join(dir, aside)).mode & 0o777).toBe(0o700);
      await fill(path);
      expect(readdirSync(join(dir, aside))).toEqual(['new']);
    });
    expect(readdirSync(dir)).toEqual(['out']);
  });

  it('that fails leaves what was there, and nothing else', async () => {
    const path = join(dir, 'out');
    mkdirSync(path);
    writeFileSync(join(path, 'mine'), '');
    const failing = async (each: string): Promise<void> => {
      await fill(each);
      throw new Error('damaged');
    };
    await expect(writeOutputDirectory({ path, overwrite: true, keep: [] }, failing)).rejects.toThrow('damaged');
    expect([readdirSync(dir), readdirSync(path)]).toEqual([['out'], ['mine']]);
  });
});

describe('a list of mounts', () => {
  it('names mount points as they are', () => {
    const line = (point: string): string => `36 35 98:0 / ${point} rw,noatime - ext4 /dev/root rw`;
    const text = ['/', '/with\\040blank', '/back\\134slash', '/caf\u00c3\u00a9']
      .map((each) => `${line(each)}\n`)
      .join('');
    expect(mountPoints(text)).toEqual(['/', '/with blank', '/back\\slash', '/café']);
  });

  it('has those below a directory, and of the directory itself', () => {
    expect(mountsBelow('/proc')).toContain('/proc');
    expect(mountsBelow('/')).toContain('/proc');
    expect(mountsBelow('/pro')).not.toContain('/proc');
  });
});
