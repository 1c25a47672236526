// SPDX-License-Identifier: Apache-2.0
import type { Flavor } from '../flavors/flavor.ts';
import type { Host } from '../host/index.ts';
import { appChecks } from './app-contract.ts';
import { openFlavorBench } from './flavor-bench.ts';
import { lifeChecks } from './life-contract.ts';

/** One thing every flavor must do. Independent of any test runner: `it(contractCase.name, contractCase.run)`. */
export interface FlavorContractCase {
  readonly name: string;
  readonly run: () => Promise<void>;
}

export interface FlavorContractOptions {
  /** Called for every case, with a data directory that nobody else has; it may not exist yet. */
  readonly open: (dataDir: string) => { readonly flavor: Flavor /** @default this machine */; readonly host?: Host };
  /** An existing directory in which the cases may work. */
  readonly scratch: string;
  /**
   * A root filesystem with `sh`, `cat`, `id`, `ls`, `readlink`, `sleep`, `stat` and `touch` in /bin, and with a user `worker`
   * (1234, group 2345, further group 77, home /work). Absent: the flavor executes nothing for real, and only the cases about
   * the life of apps are given. Of scripts it then understands `exit N`, and that `sleep` goes on.
   */
  readonly rootfs?: string;
}

/**
 * The contract of flavors, version 1 of the interface, as cases for a test runner. They need root, and change nothing of
 * the host but what a pod of the flavor changes while it runs.
 *
 * @example
 * for (const { name, run } of flavorContract({ open: () => ({ flavor: createMine() }), scratch, rootfs })) it(name, run);
 */
export function flavorContract(options: FlavorContractOptions): readonly FlavorContractCase[] {
  const checks = [...lifeChecks, ...(options.rootfs === undefined ? [] : appChecks)];
  return checks.map(([name, check]) => ({
    name,
    run: async () => {
      await using bench = await openFlavorBench(options);
      await check(bench);
    },
  }));
}
