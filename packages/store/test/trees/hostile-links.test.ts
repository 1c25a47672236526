// SPDX-License-Identifier: Apache-2.0
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { extractTree } from '../../src/trees/directory/index.ts';
import { directory, symlink, treeWith } from './support/nodes.ts';

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'links-'));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

describe('a symbolic link with several names that leads out of the tree', () => {
  it.each(['file', 'directory'])(
    'changes neither mode, nor owner, nor time of the %s it leads to (CVE-2021-32760)',
    async (kind) => {
      const outside = join(scratch, 'outside');
      if (kind === 'file') writeFileSync(outside, 'untouched');
      else mkdirSync(outside);
      chmodSync(outside, 0o600);
      const before = statSync(outside);
      const link = symlink('../outside');
      const root = directory({ first: link, sub: directory({ second: link, absolute: symlink(outside) }) });
      const layer = join(scratch, 'layer.tar');
      writeFileSync(layer, '');
      const targetDir = join(scratch, 'tree');
      await extractTree(treeWith(root, 0), { targetDir, layerPaths: [layer], privileged: process.geteuid?.() === 0 });
      expect(statSync(outside)).toEqual(before);
      expect(readlinkSync(join(targetDir, 'sub/second'))).toBe('../outside');
      expect(lstatSync(join(targetDir, 'first')).ino).toBe(lstatSync(join(targetDir, 'sub/second')).ino);
    },
  );
});
