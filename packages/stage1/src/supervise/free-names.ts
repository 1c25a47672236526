// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { RuntimeContext } from '../context.ts';
import { Stage1Error } from '../error.ts';
import { quote } from '../quote.ts';
import type { PodState, PrepareOptions } from '../runtime.ts';
import { listPods } from './inspect.ts';
import { withLock } from './with-lock.ts';

/** Pods that are over give their names away. */
const holding: ReadonlySet<PodState> = new Set(['preparing', 'prepared', 'running', 'orphaned']);

/** @throws Stage1Error ERR_RKT_STAGE1_NAME_TAKEN */
export async function requireFreeNames(context: RuntimeContext, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  for (const { id, state, apps } of await listPods(context)) {
    const taken = holding.has(state) ? apps.find(({ name }) => names.includes(name)) : undefined;
    if (taken === undefined) continue;
    const message = `the name ${quote(taken.name)} is taken by an app of pod ${id} (${state})`;
    throw new Stage1Error('ERR_RKT_STAGE1_NAME_TAKEN', message);
  }
}

/**
 * Prepares a pod while no other process prepares one with names of its own, so that of two that want the same name one gets it.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_NAME_TAKEN
 */
export async function withFreeNames<T>(
  context: RuntimeContext,
  { ownNames = [], signal }: Pick<PrepareOptions, 'ownNames' | 'signal'>,
  prepare: () => Promise<T>,
): Promise<T> {
  if (ownNames.length === 0) return prepare();
  const file = context.pods.namesLock;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  return withLock(context, { file, what: 'what pods are called', signal }, async () => {
    await requireFreeNames(context, ownNames);
    return prepare();
  });
}
