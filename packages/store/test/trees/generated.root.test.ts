// SPDX-License-Identifier: Apache-2.0
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
