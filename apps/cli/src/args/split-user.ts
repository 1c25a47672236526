// SPDX-License-Identifier: Apache-2.0

/** Reads `USER` or, as docker has them in one, `USER:GROUP`. Throws an Error for what is neither. */
export function splitUser(text: string): { readonly user: string; readonly group?: string } {
  const [, user = '', group] = /^([^:]+)(?::([^:]+))?$/.exec(text) ?? [];
  if (user === '') throw new Error('it must be USER or USER:GROUP');
  return { user, ...(group !== undefined && { group }) };
}
