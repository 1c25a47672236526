// SPDX-License-Identifier: Apache-2.0
import { printable } from '../errors.ts';

export type TreeErrorCode =
  /** The tree cannot be expressed by this backend (limits of the format or of Linux); another backend may do. */
  | 'ERR_RKT_STORE_TREE_UNSUPPORTED'
  /** The tree contradicts itself or its layers: what it was made from is damaged or was made to harm. */
  | 'ERR_RKT_STORE_TREE_INVALID';

/** A tree could not be rendered. `entry` is the path inside the image, made printable, where one is known. */
export class TreeError extends Error {
  override readonly name: string = 'TreeError';
  readonly code: TreeErrorCode;
  readonly entry: string | undefined;

  constructor(
    code: TreeErrorCode,
    message: string,
    context: { readonly entry?: string; readonly cause?: unknown } = {},
  ) {
    const entry = context.entry === undefined ? undefined : printable(context.entry);
    super(
      entry === undefined ? message : `${message}: ${entry === '' ? '/' : entry}`,
      context.cause === undefined ? undefined : { cause: context.cause },
    );
    this.code = code;
    this.entry = entry;
  }
}

/** Whether a value is a {@link TreeError}, of whichever copy of this package. */
export function isTreeError(value: unknown): value is TreeError {
  return value instanceof Error && value.name === 'TreeError' && 'code' in value;
}
