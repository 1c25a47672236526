// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultLayerLimits } from '@rkt/appc';
import { expect, it } from 'vitest';
import { readUpper } from '../../src/trees/overlay/read-upper.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

it('looks at nothing in a directory that has more names than are left', async () => {
  const upper = temporaryDirectory();
  mkdirSync(join(upper, 'a/a'), { recursive: true });
  for (let number = 0; number < 9; number += 1) writeFileSync(join(upper, 'a', `${number}`), '');
  // Whoever looked at it would refuse it for this.
  execFileSync('setfattr', ['--name=trusted.overlay.redirect', '--value=/etc', join(upper, 'a/0')]);
  const reading = (maxEntries: number): Promise<unknown> =>
    readUpper(upper, { layer: 0, users: undefined, limits: { ...defaultLayerLimits, maxEntries } });
  await expect(reading(10)).rejects.toMatchObject({
    code: 'ERR_RKT_STORE_TREE_UNSUPPORTED',
    message: expect.stringContaining('what the pod wrote has 11 files, more than 10: a/'),
  });
  await expect(reading(11)).rejects.toMatchObject({ subject: 'a/0' });
});
