// SPDX-License-Identifier: Apache-2.0
import { chownSync, lchownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createRuntime } from '../../src/index.ts';
import { createFakeFlavor, createFakeHost } from '../../src/testing/index.ts';

const USER = 54_321;
const parts = ['', 'pods', 'networks', 'id-ranges'];

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'rkt-owner-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(dataDir, { recursive: true });
});

function open(): Promise<unknown> {
  return createRuntime({ dataDir, configDirs: [], host: createFakeHost(), flavors: [createFakeFlavor()] });
}

function refusalOf(part: string): object {
  const message = `"${join(dataDir, part)}" belongs to the user with the ID ${USER}: use another directory with --dir, or see that nothing in it is theirs, then chown it`;
  return { code: 'ERR_RKT_STAGE1_UNSAFE_OWNER', message };
}

describe('a data directory of which a part belongs to another user', () => {
  it.each(parts)('is refused, by root too: %j', async (part) => {
    for (const name of parts) mkdirSync(join(dataDir, name), { recursive: true });
    await open();
    chownSync(join(dataDir, part), USER, 0);
    await expect(open()).rejects.toMatchObject(refusalOf(part));
  });

  it.each(['link', 'target'])('is refused where it is led to by a link: the %s', async (owned) => {
    const target = join(dataDir, 'elsewhere');
    mkdirSync(target);
    symlinkSync(target, join(dataDir, 'pods'));
    await open();
    if (owned === 'link') lchownSync(join(dataDir, 'pods'), USER, 0);
    else chownSync(target, USER, 0);
    await expect(open()).rejects.toMatchObject(refusalOf('pods'));
  });

  it("is that user's to use, and so is what root owns", async () => {
    mkdirSync(join(dataDir, 'pods'));
    chownSync(dataDir, USER, 0);
    vi.spyOn(process, 'geteuid').mockReturnValue(USER);
    await open();
  });
});
