// SPDX-License-Identifier: Apache-2.0
import fs, {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileTree, TreeNode } from '@rkt/appc';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadTreeSyscalls, type TreeSyscalls } from '../../src/host/tree-syscalls.ts';
import { newExtraction } from '../../src/trees/directory/extraction.ts';
import { extractTree } from '../../src/trees/directory/index.ts';
import { extractDirectory } from '../../src/trees/directory/walk.ts';
import { takeInventory } from '../../src/trees/inventory.ts';
import { device, directory, file, plain, symlink, treeWith } from './support/nodes.ts';

let scratch: string;
let targetDir: string;
let layerPaths: readonly string[];
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'extract-'));
  targetDir = join(scratch, 'tree');
  layerPaths = [join(scratch, 'layer.tar')];
  writeFileSync(join(scratch, 'layer.tar'), Buffer.alloc(65_536, 'layer content '));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

/** The caller's own, as an unprivileged extraction makes it. */
const mine = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };

describe('without privileges', () => {
  it('leaves out what the kernel would refuse and keeps the rest', async () => {
    const xattrs = new Map([
      ['user.kept', 'x'],
      ['security.capability', 'x'],
      ['trusted.left', 'x'],
    ]);
    const root = directory({
      f: file(14, 512, { uid: 12_345, mode: 0o4555, xattrs }),
      null: device('character-device', 1, 3),
      disk: device('block-device', 8, 0),
      pipe: { kind: 'fifo', origin: undefined, attributes: { ...plain, mode: 0o622 } },
      link: symlink('f'),
    });
    await extractTree(treeWith(root), { targetDir, layerPaths, privileged: false });
    expect(readdirSync(targetDir).sort()).toEqual(['f', 'link', 'pipe']);
    expect(statSync(join(targetDir, 'f'))).toMatchObject({ ...mine, mode: 0o104555, size: 14 });
    expect(statSync(join(targetDir, 'pipe')).mode).toBe(0o010622);
  });
});

describe('hard links', () => {
  it('reach into directories that are complete and closed', async () => {
    const shared = file(14);
    const deep = directory({ b: directory({ c: directory({ first: shared }, { mode: 0o500 }) }, { mode: 0o500 }) });
    const root = directory({ a: deep, z: directory({ second: shared }), zz: shared });
    await extractTree(treeWith(root), { targetDir, layerPaths, privileged: false });
    const inode = statSync(join(targetDir, 'a/b/c/first')).ino;
    expect(statSync(join(targetDir, 'z/second')).ino).toBe(inode);
    expect(statSync(join(targetDir, 'zz'))).toMatchObject({ ino: inode, nlink: 3 });
  });
});

describe('failures', () => {
  const failing = (tree: FileTree, paths = layerPaths): Promise<unknown> =>
    extractTree(tree, { targetDir, layerPaths: paths, privileged: false }).then(
      () => 'no error',
      (error: unknown) => error,
    );

  it('refuses a target that exists and leaves it alone', async () => {
    mkdirSync(targetDir);
    writeFileSync(join(targetDir, 'precious'), '');
    expect(await failing(treeWith(directory({ f: file(1) })))).toMatchObject({
      code: 'ERR_RKT_STORE_IO',
      path: targetDir,
    });
    expect(readdirSync(targetDir)).toEqual(['precious']);
  });

  it('refuses a target that is a symbolic link', async () => {
    mkdirSync(join(scratch, 'elsewhere'));
    symlinkSync('elsewhere', targetDir);
    expect(await failing(treeWith(directory({ f: file(1) })))).toMatchObject({ code: 'ERR_RKT_STORE_IO' });
    expect(readdirSync(join(scratch, 'elsewhere'))).toEqual([]);
  });

  it('says which file a layer is too short for', async () => {
    const tree = treeWith(directory({ d: directory({ f: file(3000, 65_024) }) }), 100_000);
    expect(await failing(tree)).toMatchObject({
      code: 'ERR_RKT_STORE_TREE_INVALID',
      message: 'layer ends before offset 65536: d/f',
      subject: 'd/f',
    });
  });

  it('says which layer is not there', async () => {
    const missing = join(scratch, 'missing.tar');
    expect(await failing(treeWith(directory({})), [missing])).toMatchObject({
      code: 'ERR_RKT_STORE_LAYER_MISSING',
      path: missing,
    });
    expect(existsSync(targetDir)).toBe(false);
  });

  it.each(['..', 'a/b', 'nul\0'])('writes nothing of a tree with the name %j', async (name) => {
    expect(await failing(treeWith(directory({ ok: file(1), [name]: file(1) })))).toMatchObject({
      code: 'ERR_RKT_STORE_TREE_INVALID',
    });
    expect(existsSync(targetDir)).toBe(false);
  });

  it('wants one path per layer', async () => {
    expect(await failing(treeWith(directory({})), [])).toBeInstanceOf(RangeError);
  });

  it('closes every handle, whatever happens', async () => {
    const handles = (): number => readdirSync('/proc/self/fd').length;
    await failing(treeWith(directory({})));
    rmSync(targetDir, { recursive: true });
    const before = handles();
    await failing(treeWith(directory({ a: directory({ b: directory({ f: file(3000, 65_024) }) }) }), 100_000));
    expect(handles()).toBe(before);
  });
});

describe('cancellation', () => {
  const many = (): Readonly<Record<string, TreeNode>> =>
    Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`d${index}`, directory({ f: file(100) })]));

  it('does nothing for a signal that has fired', async () => {
    const signal = AbortSignal.abort(new Error('never mind'));
    await expect(extractTree(treeWith(directory({})), { targetDir, layerPaths, signal })).rejects.toThrow('never mind');
    expect(existsSync(targetDir)).toBe(false);
  });

  it('stops in the middle, closes its handles and leaves nothing', async () => {
    const handles = readdirSync('/proc/self/fd').length;
    const controller = new AbortController();
    const reason = new Error('enough');
    let made = 0;
    setTimeout(() => {
      made = readdirSync(targetDir).length;
      controller.abort(reason);
    }, 20);
    const extraction = extractTree(treeWith(directory(many())), {
      targetDir,
      layerPaths,
      signal: controller.signal,
      privileged: false,
    });
    await expect(extraction).rejects.toBe(reason);
    expect(made).toBeGreaterThan(0);
    expect(made).toBeLessThan(3000);
    expect(existsSync(targetDir)).toBe(false);
    expect(readdirSync('/proc/self/fd')).toHaveLength(handles);
  });
});

describe('somebody who changes the target meanwhile', () => {
  /** Extracts, and lets `interfere` act as soon as the target is made. */
  async function extractWhile(interfere: () => void): Promise<unknown> {
    const { mkdirSync: original } = fs;
    fs.mkdirSync = ((...args: Parameters<typeof original>) => {
      const made = original(...args);
      interfere();
      return made;
    }) as typeof original;
    syncBuiltinESMExports();
    try {
      return await extractTree(treeWith(directory({ f: file(14) })), { targetDir, layerPaths, privileged: false }).then(
        () => undefined,
        (error: unknown) => error,
      );
    } finally {
      fs.mkdirSync = original;
      syncBuiltinESMExports();
    }
  }

  it.each([
    ['a directory others may enter', () => fs.mkdirSync(targetDir), 'ERR_RKT_STORE_PERMISSION'],
    ['a symbolic link', () => symlinkSync('outside', targetDir), 'ERR_RKT_STORE_IO'],
  ])('cannot have it write into %s in its place', async (_what, replace, code) => {
    const original = fs.mkdirSync;
    original(join(scratch, 'outside'));
    const error = await extractWhile(() => {
      renameSync(targetDir, join(scratch, 'aside'));
      fs.mkdirSync = original;
      replace();
    });
    expect(error).toMatchObject({ code, path: targetDir });
    expect([readdirSync(join(scratch, 'outside')), readdirSync(targetDir)]).toEqual([[], []]);
  });

  it('cannot lead it elsewhere by another path to the place', async () => {
    const place = join(scratch, 'place');
    mkdirSync(place);
    mkdirSync(join(scratch, 'outside/tree'), { recursive: true });
    writeFileSync(join(scratch, 'outside/tree/precious'), '');
    targetDir = join(place, 'tree');
    layerPaths = [join(scratch, 'empty.tar')];
    writeFileSync(join(scratch, 'empty.tar'), '');
    const error = await extractWhile(() => {
      renameSync(place, join(scratch, 'moved'));
      symlinkSync('outside', place);
    });
    expect(error).toMatchObject({ code: 'ERR_RKT_STORE_TREE_INVALID' });
    expect([readdirSync(join(scratch, 'moved')), readdirSync(targetDir)]).toEqual([[], ['precious']]);
  });

  /** Extracts with calls that let `interfere` act after each directory is made. */
  async function extractAgainst(tree: FileTree, interfere: (name: string) => void): Promise<unknown> {
    const real = await loadTreeSyscalls();
    const calls: TreeSyscalls = {
      ...real,
      mkdirat: (parent, name, mode) => {
        real.mkdirat(parent, name, mode);
        interfere(name);
      },
    };
    mkdirSync(targetDir);
    const layers = layerPaths.map((path) => openSync(path, 'r'));
    const [root] = takeInventory(tree);
    if (root === undefined) throw new Error('no root');
    const steps = extractDirectory(newExtraction({ calls, layers, privileged: false }), root, openSync(targetDir, 'r'));
    try {
      while (steps.next().done !== true);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  it('cannot lead it out by a symbolic link in place of a new directory', async () => {
    mkdirSync(join(scratch, 'outside'));
    const error = await extractAgainst(treeWith(directory({ d: directory({ f: file(14) }) })), () => {
      renameSync(join(targetDir, 'd'), join(scratch, 'aside'));
      symlinkSync('../outside', join(targetDir, 'd'));
    });
    expect(error).toMatchObject({ code: 'ERR_RKT_STORE_IO', message: expect.stringContaining('cannot write d') });
    expect(readdirSync(join(scratch, 'outside'))).toEqual([]);
  });

  it('cannot have it write through a link that stands where a file will', async () => {
    writeFileSync(join(scratch, 'outside'), 'untouched');
    const error = await extractAgainst(treeWith(directory({ a: directory({}), f: file(14) })), () => {
      symlinkSync('../outside', join(targetDir, 'f'));
    });
    expect(error).toMatchObject({ code: 'ERR_RKT_STORE_IO' });
    expect(readFileSync(join(scratch, 'outside'), 'utf8')).toBe('untouched');
  });
});
