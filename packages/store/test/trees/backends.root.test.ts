// SPDX-License-Identifier: Apache-2.0
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TreeNode } from '@rkt/appc';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { currentOwner } from '../../src/host/owner.ts';
import { extractTree } from '../../src/trees/directory/index.ts';
import { writeErofs } from '../../src/trees/erofs/index.ts';
import { probeErofs } from '../../src/trees/probe-erofs.ts';
import { interceptFiles } from '../faults/intercept-files.ts';
import { rawTar } from '../raw-tar.ts';
import { withMounted } from './support/mounted.ts';
import { device, directory, file, symlink, treeWith } from './support/nodes.ts';
import { makeEverything } from './support/samples.ts';
import { type SurveyEntry, survey } from './support/survey.ts';
import { packDirectory, treeOf, unpackWithTar } from './support/tars.ts';

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'trees-'));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

/** What GNU tar makes of an archive, and what both backends do. */
async function surveys(tar: string): Promise<Readonly<Record<'tar' | 'erofs' | 'directory', readonly SurveyEntry[]>>> {
  const [unpacked, extracted] = [join(scratch, 'unpacked'), join(scratch, 'extracted')];
  mkdirSync(unpacked);
  unpackWithTar(tar, unpacked);
  const tree = treeOf([tar]);
  await extractTree(tree, { targetDir: extracted, layerPaths: [tar] });
  const erofs = await withMounted(writeErofs(tree), [tar], { scratch, use: survey });
  return { tar: survey(unpacked), erofs, directory: survey(extracted) };
}

describe('both backends show what GNU tar unpacks', () => {
  it.each([
    ['PAX archives', []],
    ['PAX archives with sparse files', ['--sparse', '--hole-detection=raw']],
    ['PAX archives with sparse files of the first format', ['--sparse', '--sparse-version=0.1']],
  ])('from %s', async (_, options) => {
    const source = join(scratch, 'source');
    mkdirSync(source);
    makeEverything(source);
    const tar = join(scratch, 'layer.tar');
    packDirectory(source, tar, options);
    const found = await surveys(tar);
    expect(found.tar.length).toBeGreaterThan(340);
    expect(found.erofs).toEqual(found.tar);
    expect(found.directory).toEqual(found.tar);
  });

  it('from GNU archives, which know neither fractions of seconds nor attributes', async () => {
    const source = join(scratch, 'source');
    mkdirSync(source);
    makeEverything(source);
    const tar = join(scratch, 'layer.tar');
    packDirectory(source, tar, ['--format=gnu', '--no-xattrs', '--sparse']);
    const found = await surveys(tar);
    expect(found.erofs).toEqual(found.tar);
    expect(found.directory).toEqual(found.tar);
  });
});

describe('extractTree', () => {
  it('keeps holes', async () => {
    const source = join(scratch, 'source');
    mkdirSync(source);
    makeEverything(source);
    const tar = join(scratch, 'layer.tar');
    packDirectory(source, tar, ['--sparse']);
    const targetDir = join(scratch, 'extracted');
    await extractTree(treeOf([tar]), { targetDir, layerPaths: [tar] });
    expect(statSync(join(targetDir, 'sparse-all-hole'))).toMatchObject({ size: 10_000_000, blocks: 0 });
    expect(statSync(join(targetDir, 'sparse-middle')).blocks).toBeLessThan(100);
  });
});

describe('many layers and large directories', () => {
  it('reads every file of 150 devices by name', async () => {
    const layerPaths = Array.from({ length: 150 }, (_, layer) => join(scratch, `${layer}.tar`));
    const children: Record<string, TreeNode> = {};
    for (const [layer, path] of layerPaths.entries()) {
      const content = Buffer.alloc(40 * 512);
      for (let index = 0; index < 40; index += 1) {
        const name = `${layer}-${index}`;
        content.write(name, index * 512);
        children[name] = { ...file(name.length, index * 512), origin: { layer, headerOffset: index * 512 } };
      }
      writeFileSync(path, content);
    }
    const layers = layerPaths.map((_, layer) => ({
      diffId: `sha256:${String(layer).padStart(64, '0')}`,
      size: 40 * 512,
    }));
    const wrong = await withMounted(writeErofs({ layers, root: directory(children) }), layerPaths, {
      scratch,
      use: (root) => {
        expect(statSync(`${root}/nothing-here`, { throwIfNoEntry: false })).toBeUndefined();
        expect(readdirSync(root)).toHaveLength(6000);
        return Object.keys(children).filter((name) => readFileSync(`${root}/${name}`, 'latin1') !== name);
      },
    });
    expect(wrong).toEqual([]);
  });
});

describe('what is large', () => {
  it('is a directory of 100,000 entries, each found by its name', async () => {
    const names = Array.from({ length: 100_000 }, (_, at) => `entry-${at}`);
    const root = directory({ many: directory(Object.fromEntries(names.map((name) => [name, symlink(name)]))) });
    const layer = join(scratch, 'layer.tar');
    writeFileSync(layer, '');
    const wrong = await withMounted(writeErofs(treeWith(root, 0)), [layer], {
      scratch,
      use: (mounted) => {
        expect(readdirSync(`${mounted}/many`)).toHaveLength(names.length);
        expect(statSync(`${mounted}/many/entry`, { throwIfNoEntry: false })).toBeUndefined();
        return names.filter((name) => readlinkSync(`${mounted}/many/${name}`) !== name);
      },
    });
    expect(wrong).toEqual([]);
  });

  it('is a layer of 300,000 entries, and a path through 300 directories', async () => {
    const directories = Array.from({ length: 300 }, (_, at) => `many/${at}`);
    const names = Array.from({ length: 1000 }, (_, at) => `file-${at}`);
    const deep = Array.from({ length: 300 }, (_, at) => `d${at}`).join('/');
    const layer = join(scratch, 'layer.tar');
    const files = emptyFiles(directories.flatMap((parent) => names.map((name) => `${parent}/${name}`)));
    writeFileSync(layer, Buffer.concat([files, rawTar([{ path: `${deep}/file`, content: 'deep' }])]));
    await withMounted(writeErofs(treeOf([layer])), [layer], {
      scratch,
      use: (mounted) => {
        const wrong = directories.filter((parent) => readdirSync(`${mounted}/${parent}`).length !== names.length);
        expect(wrong).toEqual([]);
        expect(statSync(`${mounted}/many/299/file-999`).size).toBe(0);
        expect(readFileSync(`${mounted}/${deep}/file`, 'latin1')).toBe('deep');
      },
    });
  });

  it('is a file of more than 4 GiB, and one behind it, at its offset', async () => {
    const GIB = 1024 ** 3;
    const size = 5 * GIB;
    const layer = join(scratch, 'layer.tar');
    writeFileSync(layer, '');
    truncateSync(layer, size + 2048);
    const marks = [0, 2 * GIB - 1, 4 * GIB - 1, 4 * GIB + 1, size - 1];
    const tar = openSync(layer, 'r+');
    for (const mark of [...marks, size + 1024 - 512]) writeSync(tar, 'x', 512 + mark);
    closeSync(tar);
    const tree = treeWith(directory({ large: file(size), behind: file(1, size + 1024) }), size + 2048);
    const marksOf = (root: string): readonly string[] => {
      expect(statSync(`${root}/large`).size).toBe(size);
      const large = openSync(`${root}/large`, 'r');
      const at = [...marks, 4 * GIB].map((mark) => {
        const byte = Buffer.alloc(1);
        readSync(large, byte, 0, 1, mark);
        return byte.toString();
      });
      closeSync(large);
      return [...at, readFileSync(`${root}/behind`, 'latin1')];
    };
    const expected = [...marks.map(() => 'x'), '\0', 'x'];
    expect(await withMounted(writeErofs(tree), [layer], { scratch, use: marksOf })).toEqual(expected);
  });
});

describe('probeErofs', () => {
  it('mounts where it may and leaves nothing', async () => {
    expect(await probeErofs(scratch)).toEqual({ usable: true });
    expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(' erofs ');
    expect(survey(scratch)).toHaveLength(1);
  });

  it('explains why it may not mount', async () => {
    chmodSync(scratch, 0o777);
    process.seteuid?.(65_534);
    try {
      expect(await probeErofs(scratch)).toEqual({
        usable: false,
        reason: 'mounting needs the capability SYS_ADMIN',
      });
    } finally {
      process.seteuid?.(0);
    }
    expect(survey(scratch)).toHaveLength(1);
  });

  it('removes what a killed one has left, and nothing of one that lives', async () => {
    const living = `erofs-probe-${currentOwner()}-abcdef`;
    for (const name of ['erofs-probe-1-1-00000000-abcdef', living]) {
      mkdirSync(join(scratch, name));
      writeFileSync(join(scratch, name, 'layer.tar'), '');
    }
    await probeErofs(scratch);
    expect(readdirSync(scratch)).toEqual([living]);
  });

  it('leaves what names no process, and does its work where a leftover cannot be removed', async () => {
    const fixed = 'erofs-probe-1-1-00000000-abcdef';
    for (const name of [fixed, 'erofs-probe-abcdef']) mkdirSync(join(scratch, name));
    const usual = await probeErofs(tmpdir());
    const stop = await interceptFiles(join(scratch, fixed), () => {
      throw Object.assign(new Error('EPERM: injected'), { code: 'EPERM', errno: -1, syscall: 'unlink' });
    });
    try {
      expect(await probeErofs(scratch)).toEqual(usual);
    } finally {
      stop();
    }
    expect(readdirSync(scratch).toSorted()).toEqual([fixed, 'erofs-probe-abcdef']);
  });

  it('throws when it cannot even write', async () => {
    await expect(probeErofs(join(scratch, 'missing'))).rejects.toMatchObject({ code: 'ERR_RKT_STORE_IO' });
  });
});

/** user::rw-, user:1000:r--, group::r--, mask::r--, other::--- as the kernel keeps them. */
const ACL_ENTRIES = [
  '01000600ffffffff',
  '02000400e8030000',
  '04000400ffffffff',
  '10000400ffffffff',
  '20000000ffffffff',
];

describe('what an archive should not have', () => {
  it('is shown alike by both backends', async () => {
    const acl = Buffer.from(`02000000${ACL_ENTRIES.join('')}`, 'hex');
    expect(acl).toHaveLength(44);
    const aclText = acl.toString('latin1');
    const xattrs = new Map([
      ['system.posix_acl_access', aclText],
      ['system.posix_acl_default', aclText],
      ['trusted.overlay.opaque', 'y'],
      ['user.kept', ''],
    ]);
    const broken = new Map([['system.posix_acl_access', aclText.slice(0, -1)]]);
    const root = directory({
      f: file(10, 512, { mode: 0o640, xattrs }),
      d: directory({}, { mode: 0o640, xattrs }),
      broken: file(10, 512, { xattrs: broken }),
      whiteout: device('character-device', 0, 0),
      again: device('block-device', 0, 0),
    });
    const layer = join(scratch, 'layer.tar');
    writeFileSync(layer, Buffer.alloc(65_536, 'x'));
    // The same layer twice, as images with empty layers have it.
    const once = treeWith(root);
    const tree = { ...once, layers: [...once.layers, ...once.layers] };
    const layerPaths = [layer, layer];
    const targetDir = join(scratch, 'extracted');
    await extractTree(tree, { targetDir, layerPaths });
    const mounted = await withMounted(writeErofs(tree), layerPaths, { scratch, use: survey });
    expect(survey(targetDir)).toEqual(mounted);
    expect(mounted.map(({ path, xattrs: shown }) => [path, Object.keys(shown)])).toEqual([
      ['', []],
      ['again', []],
      ['broken', []],
      ['d', ['system.posix_acl_access', 'system.posix_acl_default', 'user.kept']],
      ['f', ['system.posix_acl_access', 'user.kept']],
    ]);
  });
});

/** Headers alone, without the end of an archive. */
function emptyFiles(paths: readonly string[]): Buffer {
  const bytes = Buffer.alloc(512 * paths.length);
  for (const [index, path] of paths.entries()) {
    const header = bytes.subarray(512 * index, 512 * (index + 1));
    header.write(path, 'latin1');
    header.write(`0000644\0${'0000000\0'.repeat(2)}${'00000000000\0'.repeat(2)}        0`, 100, 'latin1');
    header.write('ustar\x0000', 257, 'latin1');
    const sum = header.subarray(0, 265).reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  }
  return bytes;
}
