// SPDX-License-Identifier: Apache-2.0
import { Stage1Error } from '../error.ts';
import { quote } from '../quote.ts';
import type { PodId } from '../runtime.ts';

/** A pod as far as the choice of one of its apps is concerned: a manifest has its apps, and so has what `inspect` tells. */
export interface AppChoice<T> {
  readonly id: PodId;
  readonly apps: readonly T[];
}

/**
 * The app that is meant, which need not be said when there is one alone.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_APP_UNSPECIFIED, ERR_RKT_STAGE1_APP_NOT_FOUND
 */
export function chooseApp<T extends { readonly name: string }>(pod: AppChoice<T>, name: string | undefined): T {
  const { id, apps } = pod;
  const [only, another] = apps;
  if (name === undefined && only !== undefined && another === undefined) return only;
  const named = apps.find((app) => app.name === name);
  if (named !== undefined) return named;
  const names = apps.map((app) => app.name).join(', ');
  if (only === undefined) throw new Stage1Error('ERR_RKT_STAGE1_APP_NOT_FOUND', `pod ${id} has no app`);
  if (name === undefined) {
    throw new Stage1Error('ERR_RKT_STAGE1_APP_UNSPECIFIED', `pod ${id} contains multiple apps: ${names}`);
  }
  throw new Stage1Error('ERR_RKT_STAGE1_APP_NOT_FOUND', `pod ${id} has no app ${quote(name)}: it has ${names}`);
}
