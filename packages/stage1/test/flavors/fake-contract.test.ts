// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, it } from 'vitest';
import type { SpawnRequest } from '../../src/index.ts';
import { createFakeFlavor, createFakeHost, flavorContract } from '../../src/testing/index.ts';

const scratch = mkdtempSync(join(tmpdir(), 'rkt-contract-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** A shell that knows `exit`; everything else goes on. */
function statusOf({ args }: SpawnRequest): number | undefined {
  const exit = /^exit (\d+)$/.exec(args.at(-1) ?? '');
  return exit ? Number(exit[1]) : undefined;
}

describe('the fake flavor', () => {
  const open = () => ({ flavor: createFakeFlavor(), host: createFakeHost({ statusOf }) });
  for (const { name, run } of flavorContract({ open, scratch })) it(name, run);
});
