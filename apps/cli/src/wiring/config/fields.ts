// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../render/quote.ts';

/** An object of a configuration file, not yet checked. */
export type Fields = Readonly<Record<string, unknown>>;

/** Reads JSON. The text may hold a password, and JSON.parse would quote it in its message. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('it is not valid JSON');
  }
}

/*
 * Readers of fields. Each throws an Error that names the field, below `within` where that is given, and never shows a value
 * that may be secret.
 */

export function object(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${what} must be an object`);
  return Object.fromEntries(Object.entries(value));
}

/** A misspelled field would leave unsaid what its author believes to have said. */
export function refuseUnknown(fields: Fields, known: readonly string[], within?: string): void {
  const unknown = Object.keys(fields).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const where = within === undefined ? '' : ` in ${within}`;
  throw new Error(`unknown key ${quote(unknown)}${where}, expected ${known.join(', ')}`);
}

export function array(fields: Fields, name: string, within?: string): readonly unknown[] {
  const value = fields[name];
  if (!Array.isArray(value)) throw new Error(`${pathOf(name, within)} must be a list`);
  return value;
}

export function string(fields: Fields, name: string, within?: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw new Error(`${pathOf(name, within)} must be a string`);
  return value;
}

export function nonEmpty(fields: Fields, name: string, within?: string): string {
  const value = string(fields, name, within);
  if (value === '') throw new Error(`${pathOf(name, within)} must not be empty`);
  return value;
}

/** An empty string says as much as none. */
export function optional(fields: Fields, name: string, within?: string): string | undefined {
  return fields[name] === undefined ? undefined : string(fields, name, within) || undefined;
}

export function flag(fields: Fields, name: string, within?: string): boolean {
  const value = fields[name] ?? false;
  if (typeof value !== 'boolean') throw new Error(`${pathOf(name, within)} must be true or false`);
  return value;
}

function pathOf(name: string, within: string | undefined): string {
  return within === undefined ? name : `${within}.${name}`;
}
