// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { extractTree } from '../../src/trees/directory/index.ts';
import { writeErofs } from '../../src/trees/erofs/index.ts';
import { arbitrarySample, sampleLayers } from './support/arbitrary-tree.ts';
import { withMounted } from './support/mounted.ts';
import { survey } from './support/survey.ts';

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'trees-'));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

/** A `fsck.erofs` that knows blocks of 512 bytes, which is 1.6 and later: Debian 12 has an older one. See docs/trees.md. */
const fsck = process.env['RKT_TEST_FSCK'];

it.runIf(fsck)('is sound to fsck.erofs, whatever the tree, and is not once it has been damaged', () => {
  const devices = sampleLayers.map((bytes, layer) => {
    const path = join(scratch, `${layer}.tar`);
    writeFileSync(path, bytes);
    return `--device=${path}`;
  });
  const check = (image: Uint8Array): readonly [number | null, string] => {
    const path = join(scratch, 'image');
    writeFileSync(path, image);
    // Without a directory it extracts nothing, but reads all content.
    const { status, stderr } = spawnSync(fsck ?? '', ['--extract', ...devices, path], { encoding: 'utf8' });
    return [status, stderr];
  };
  fc.assert(
    fc.property(arbitrarySample, ({ tree }) => {
      const image = writeErofs(tree);
      expect(check(image)).toEqual([0, '']);
      expect(check(image.fill(0xff, 1024, 1088))).not.toEqual([0, '']);
    }),
  );
});

it('shows any tree as it is, mounted and extracted', async () => {
  const paths = sampleLayers.map((_, layer) => join(scratch, `${layer}.tar`));
  for (const [layer, path] of paths.entries()) writeFileSync(path, sampleLayers[layer] ?? '');
  let run = 0;
  await fc.assert(
    fc.asyncProperty(arbitrarySample, async ({ tree, expected }) => {
      run += 1;
      const image = writeErofs(tree);
      expect(await withMounted(image, paths, { scratch, use: survey })).toEqual(expected);
      const targetDir = join(scratch, `extracted-${run}`);
      await extractTree(tree, { targetDir, layerPaths: paths });
      expect(survey(targetDir)).toEqual(expected);
      rmSync(targetDir, { recursive: true });
    }),
    { numRuns: 40 },
  );
});
