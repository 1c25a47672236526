// SPDX-License-Identifier: Apache-2.0

/** The code of an error of Node's or the system's, as `ENOENT`; empty for anything else. */
export function errorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}
