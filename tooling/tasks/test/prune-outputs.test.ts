// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { pruneOutputs } from '../src/prune-outputs.ts';

it('deletes outputs of modules that are gone and nothing else', () => {
  const dir = mkdtempSync(join(tmpdir(), 'rkt-prune-'));
  try {
    for (const room of ['src/room', 'dist/room']) mkdirSync(join(dir, room), { recursive: true });
    writeFileSync(join(dir, 'src/room/here.ts'), '');
    const kept = ['here.d.ts', 'here.d.ts.map', 'here.js', 'rkt'];
    for (const name of [...kept, 'gone.js', 'gone.d.ts', 'gone.d.ts.map']) {
      writeFileSync(join(dir, 'dist/room', name), '');
    }
    pruneOutputs(dir);
    expect(readdirSync(join(dir, 'dist/room')).sort()).toEqual(kept);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
