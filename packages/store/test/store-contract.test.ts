// SPDX-License-Identifier: Apache-2.0
import { openStore } from '@rkt/store';
import { storeContract } from '@rkt/store/testing';
import { describe, it } from 'vitest';
import { temporaryDirectory } from './temporary-directory.ts';

describe('a store on disk', () => {
  const cases = storeContract({ open: ({ now }) => openStore(temporaryDirectory(), { now }) });
  for (const { name, run } of cases) it(name, run);
});
