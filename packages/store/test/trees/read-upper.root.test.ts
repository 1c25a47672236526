// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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

it('refuses a time that no archive may have, where a filesystem keeps one', async () => {
  // A tmpfs: times are 64 bits there.
  const upper = mkdtempSync('/dev/shm/rkt-read-upper-');
  try {
    execFileSync('touch', ['--date=@4503599627370496', join(upper, 'late')]);
    await expect(readUpper(upper, { layer: 0, users: undefined })).rejects.toMatchObject({
      code: 'ERR_RKT_STORE_TREE_UNSUPPORTED',
      message: 'what the pod wrote has a time of 4503599627370496 seconds, more than 2251799813685248: late',
    });
  } finally {
    rmSync(upper, { recursive: true });
  }
});
