// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, it } from 'vitest';
import { createFlyFlavor, createOciFlavor, type Flavor } from '../../src/index.ts';
import { flavorContract } from '../../src/testing/index.ts';
import { makeSmallImage } from '../pods/small-image.ts';

const scratch = mkdtempSync(join(tmpdir(), 'rkt-contract-'));
const rootfs = join(scratch, 'image');
makeSmallImage(rootfs);
afterAll(() => rmSync(scratch, { recursive: true }));

const flavors: readonly (readonly [string, (dataDir: string) => Flavor])[] = [
  ['oci with runc', (dataDir) => createOciFlavor({ dataDir, runtimePath: '/usr/sbin/runc' })],
  ['oci with crun', (dataDir) => createOciFlavor({ dataDir, runtimePath: '/usr/bin/crun' })],
  ['fly', createFlyFlavor],
];

describe.each(flavors)('flavor %s', (_, create) => {
  const open = (dataDir: string): { readonly flavor: Flavor } => ({ flavor: create(dataDir) });
  for (const { name, run } of flavorContract({ open, scratch, rootfs })) it(name, run);
});
