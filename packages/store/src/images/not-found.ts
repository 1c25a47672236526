// SPDX-License-Identifier: Apache-2.0
import { printable, StoreError } from '../errors.ts';

/** No image has this ID, prefix or name. */
export function imageNotFound(subject: string): StoreError {
  return new StoreError('ERR_RKT_STORE_IMAGE_NOT_FOUND', `no image found for ${printable(subject)}`, { subject });
}
