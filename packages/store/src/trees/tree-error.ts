// SPDX-License-Identifier: Apache-2.0
import { isStoreError, printable, StoreError } from '../errors.ts';

export type TreeErrorCode = 'ERR_RKT_STORE_TREE_UNSUPPORTED' | 'ERR_RKT_STORE_TREE_INVALID';

/** A tree that cannot be rendered; `entry` is the path inside the image, as bytes, where one is known. */
export function treeError(
  code: TreeErrorCode,
  message: string,
  context: { readonly entry?: string; readonly cause?: unknown } = {},
): StoreError {
  const { entry, cause } = context;
  const subject = entry === undefined ? undefined : printable(entry);
  return new StoreError(code, subject === undefined ? message : `${message}: ${subject === '' ? '/' : subject}`, {
    ...(cause === undefined ? {} : { cause }),
    ...(subject === undefined ? {} : { subject }),
  });
}

/** Whether an error is about the tree rather than about the disk. */
export function isTreeError(error: unknown): error is StoreError & { readonly code: TreeErrorCode } {
  return isStoreError(error) && error.code.startsWith('ERR_RKT_STORE_TREE_');
}

/** Whether another backend may be able to render what this one could not. */
export function isUnsupportedTree(error: unknown): boolean {
  return isStoreError(error) && error.code === 'ERR_RKT_STORE_TREE_UNSUPPORTED';
}
