// SPDX-License-Identifier: Apache-2.0
import { Stage1Error } from '../error.ts';
import type { ExecPlugin } from './exec-plugin.ts';
import { type FirewallTable, listRules, type NatFamily, restoreRules } from './iptables.ts';
import { leftovers } from './nat-leftovers.ts';

export interface SweepOptions {
  readonly tables: readonly SweptTable[];
  readonly signal: AbortSignal | undefined;
}

export interface SweptTable {
  readonly family: NatFamily;
  readonly table: FirewallTable;
}

/**
 * Removes from the tables what the plugins leave: a pod's masquerading when its namespace was gone before them, the chains
 * of port forwarding when no pod uses them any more; and every other rule that carries the pod's id.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_PLUGIN_FAILED
 */
export async function sweep(run: ExecPlugin, podId: string, { tables, signal }: SweepOptions): Promise<void> {
  await Promise.all(tables.map((table) => sweepTable(run, { ...table, podId, signal })));
}

interface Sweep extends SweptTable {
  readonly podId: string;
  readonly signal: AbortSignal | undefined;
}

const sweepAttempts = 8;

/**
 * Each round lists the table anew and removes in transactions: when another process has begun to use a chain since, or
 * has removed the same one, nothing happens, and the next round decides on what there is then. Shared chains that cannot
 * be removed in the end are left to the next pod that ends; what is the pod's own must go.
 */
async function sweepTable(run: ExecPlugin, { family, table, podId, signal }: Sweep): Promise<void> {
  let ownRefused: string | undefined;
  for (let attempt = 0; attempt < sweepAttempts; attempt++) {
    const { own, unused } = leftovers(await listRules(run, family, { table, signal }), podId);
    ownRefused = await restoreRules(run, { family, table, commands: own, signal });
    const unusedRefused = await restoreRules(run, { family, table, commands: unused, signal });
    // Once its own rules are gone, the pod may turn out to have been the last one.
    if (own.length === 0 && unusedRefused === undefined) return;
  }
  if (ownRefused !== undefined) throw new Stage1Error('ERR_RKT_STAGE1_PLUGIN_FAILED', ownRefused);
}
