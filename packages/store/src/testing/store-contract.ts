// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Store } from '../store.ts';
import { aciChecks } from './aci-contract.ts';
import type { Check, ContractCase } from './contract-case.ts';
import { imageChecks } from './image-contract.ts';
import { layerChecks } from './layer-contract.ts';
import { lifetimeChecks } from './lifetime-contract.ts';

export interface StoreContractOptions {
  /** Opens an empty store that tells the time from `now`. */
  readonly open: (options: { readonly now: () => Date }) => Promise<Store>;
}

/**
 * What every implementation of {@link Store} must do, for any test runner.
 *
 * @example
 * for (const { name, run } of storeContract({ open: ({ now }) => openStore(freshDirectory(), { now }) })) it(name, run);
 */
export function storeContract(options: StoreContractOptions): readonly ContractCase[] {
  const checks: readonly Check[] = [...layerChecks, ...imageChecks, ...aciChecks, ...lifetimeChecks];
  return checks.map(([name, check]) => ({
    name,
    run: async () => {
      let time = Date.UTC(2020, 0, 1);
      await using store = await options.open({ now: () => new Date(time) });
      await check(store, {
        advance: (milliseconds) => {
          time += milliseconds;
        },
        scratchPath: join(tmpdir(), `rkt-store-contract-${randomUUID()}`),
      });
    },
  }));
}
