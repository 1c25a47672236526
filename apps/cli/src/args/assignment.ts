// SPDX-License-Identifier: Apache-2.0
import type { NameValue } from '@rkt/appc';

/** Reads `NAME=VALUE`; the value may hold anything, `=` included. Throws an Error for what is none. */
export function parseAssignment(text: string): NameValue {
  const equals = text.indexOf('=');
  if (equals < 1) throw new Error('it must be specified as key=value');
  return { name: text.slice(0, equals), value: text.slice(equals + 1) };
}
