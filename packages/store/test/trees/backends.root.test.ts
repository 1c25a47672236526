// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { extractTree } from '../../src/trees/directory/index.ts';
import { probeErofs, writeErofs } from '../../src/trees/erofs/index.ts';
import { withMounted } from './support/mounted.ts';
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
    const tars = Array.from({ length: 150 }, (_, layer) => join(scratch, `${layer}.tar`));
    for (const [layer, tar] of tars.entries()) {
      const source = join(scratch, `source-${layer}`);
      mkdirSync(source);
      for (let file = 0; file < 20; file += 1) writeFileSync(join(source, `${layer}-${file}`), `${layer}/${file}`);
      packDirectory(source, tar);
    }
    const image = writeErofs(treeOf(tars));
    await withMounted(image, tars, {
      scratch,
      use: (root) => {
        for (let layer = 0; layer < 150; layer += 1) {
          for (let file = 0; file < 20; file += 1) {
            expect(readFileSync(`${root}/${layer}-${file}`, 'latin1')).toBe(`${layer}/${file}`);
          }
        }
        expect(statSync(`${root}/nothing-here`, { throwIfNoEntry: false })).toBeUndefined();
      },
    });
  });
});

describe('probeErofs', () => {
  it('mounts where it may and leaves nothing', async () => {
    expect(await probeErofs(scratch)).toEqual({ usable: true });
    expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(' erofs ');
    expect(survey(scratch)).toHaveLength(1);
  });
});
