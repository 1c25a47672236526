// SPDX-License-Identifier: Apache-2.0
import { isNotFound, StoreError, toStoreError } from '../errors.ts';

/** What it means that a layer's tar cannot be read: LAYER_MISSING, or a failure of the system. */
export function unreadableLayer(error: unknown, path: string): unknown {
  if (!isNotFound(error)) return toStoreError(error, 'cannot read a layer', path);
  return new StoreError('ERR_RKT_STORE_LAYER_MISSING', `layer ${path} is missing`, { path, cause: error });
}
