// SPDX-License-Identifier: Apache-2.0
import { AppcError, quoteUntrusted } from '../errors.ts';

/** Largest manifest read, in bytes: appc sets no bound, and real ones have a few kilobytes. */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** Deepest nesting of a JSON value that is kept as it is. */
const MAX_DEPTH = 32;

/** Reads a value found at `path`, or throws AppcError `ERR_RKT_APPC_MANIFEST`. */
export type FieldParser<T> = (value: unknown, path: string) => T;

export type JsonObject = Readonly<Record<string, unknown>>;

/** The value a manifest was given as: JSON text in UTF-8, or a value already parsed. */
export function toJson(input: unknown): unknown {
  if (!(input instanceof Uint8Array)) return input;
  if (input.length > MAX_MANIFEST_BYTES) {
    throw new AppcError('ERR_RKT_APPC_MANIFEST', `manifest has ${input.length} bytes, more than ${MAX_MANIFEST_BYTES}`);
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(input));
  } catch (cause) {
    throw new AppcError('ERR_RKT_APPC_MANIFEST', 'manifest is not JSON in UTF-8', { cause });
  }
}

export function toUtf8(json: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(json));
}

export function invalid(path: string, expected: string, got: unknown): AppcError {
  const at = path === '' ? 'manifest' : `manifest property ${quoteUntrusted(path)}`;
  return new AppcError('ERR_RKT_APPC_MANIFEST', `${at} must be ${expected}, got ${describe(got)}`, { path });
}

function describe(value: unknown): string {
  if (typeof value === 'string') return quoteUntrusted(value);
  if (Array.isArray(value)) return 'an array';
  if (value === null || typeof value !== 'object') return quoteUntrusted(String(value)).slice(1, -1);
  return 'an object';
}

export function asObject(value: unknown, path: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(path, 'an object', value);
  return value as JsonObject;
}

/** Any string without NUL, which no program could be handed. */
export function asString(value: unknown, path: string): string {
  if (typeof value !== 'string' || value.includes('\0')) throw invalid(path, 'a string without NUL', value);
  return value;
}

export function asBoolean(value: unknown, path: string): boolean {
  if (typeof value !== 'boolean') throw invalid(path, 'true or false', value);
  return value;
}

export function asAbsolutePath(value: unknown, path: string): string {
  const text = asString(value, path);
  if (!text.startsWith('/')) throw invalid(path, 'an absolute path', value);
  return text;
}

/** A parser of strings that `accepts` is true for. */
export function stringOf(accepts: (text: string) => boolean, expected: string): FieldParser<string> {
  return (value, path) => {
    if (typeof value !== 'string' || !accepts(value)) throw invalid(path, expected, value);
    return value;
  };
}

/** A parser of one of some strings. */
export function oneOf<T extends string>(choices: readonly T[]): FieldParser<T> {
  return (value, path) => {
    const found = choices.find((choice) => choice === value);
    if (found === undefined) throw invalid(path, `one of ${choices.join(', ')}`, value);
    return found;
  };
}

export function integerIn(least: number, most: number): FieldParser<number> {
  return (value, path) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
      throw invalid(path, `an integer from ${least} to ${most}`, value);
    }
    // Minus zero would be written as 0: it is 0.
    return value + 0;
  };
}

export function arrayOf<T>(item: FieldParser<T>): FieldParser<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw invalid(path, 'an array', value);
    return value.map((each, index) => item(each, `${path}[${index}]`));
  };
}

/** An array in which no two items have the same name. */
export function namedArrayOf<T extends { readonly name: string }>(item: FieldParser<T>): FieldParser<readonly T[]> {
  const parse = arrayOf(item);
  return (value, path) => {
    const items = parse(value, path);
    const seen = new Set<string>();
    for (const [index, { name }] of items.entries()) {
      if (seen.has(name)) throw invalid(`${path}[${index}].name`, 'a name not used before', name);
      seen.add(name);
    }
    return items;
  };
}

/** A property that may be missing; `null` is as good as missing. */
export function optional<T>(parse: FieldParser<T>): FieldParser<T | undefined> {
  return (value, path) => (value === undefined || value === null ? undefined : parse(value, path));
}

/** A map of strings, its keys in code unit order. */
export function stringMap(value: unknown, path: string): Readonly<Record<string, string>> {
  const entries = Object.entries(asObject(value, path)).map(([key, text]): readonly [string, string] => [
    key,
    asString(text, `${path}.${key}`),
  ]);
  return Object.fromEntries(entries.sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** Any JSON value, kept as it is, but not nested so deeply that writing it again could overflow the stack. */
export function asJsonValue(value: unknown, path: string): unknown {
  checkDepth(value, path, 0);
  return value;
}

function checkDepth(value: unknown, path: string, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth === MAX_DEPTH) throw invalid(path, `nested at most ${MAX_DEPTH} deep`, value);
  for (const child of Object.values(value)) checkDepth(child, path, depth + 1);
}

/** How to read each property of `T`, in the order in which they are to be written. */
export type ObjectShape<T> = {
  readonly [K in keyof T]-?: FieldParser<T[K] | (undefined extends T[K] ? undefined : never)>;
};

/** A parser of objects. Properties come out in the order of the shape; unknown ones are left out, as appc wants it. */
export function objectOf<T extends object>(shape: ObjectShape<T>): FieldParser<T> {
  const properties = Object.entries<FieldParser<unknown>>(shape);
  return (value, path) => {
    const object = asObject(value, path);
    const parsed: Record<string, unknown> = {};
    for (const [name, parse] of properties) {
      const given = Object.hasOwn(object, name) ? object[name] : undefined;
      const result = parse(given, path === '' ? name : `${path}.${name}`);
      if (result !== undefined) parsed[name] = result;
    }
    return parsed as T;
  };
}
