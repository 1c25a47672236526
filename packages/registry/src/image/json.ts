// SPDX-License-Identifier: Apache-2.0
import { type Digest, isDigest } from '@rkt/refparse';
import { RegistryError, type RegistryErrorCode } from '../errors.ts';
import { sanitize } from '../protocol/sanitize.ts';

/** A value that is not what the specification says, and where it is: `layers[2].size`. */
export class FieldError extends Error {
  override readonly name = 'FieldError';
  /** The field, where one is to blame and not the document as a whole. */
  readonly field: string | undefined;

  constructor(message: string, path?: string) {
    super(message);
    this.field = path;
  }
}

/** A JSON object, or whatever else it is. Own properties only. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** What a document is, for the error it may turn out to be. */
export interface DocumentContext {
  readonly code: RegistryErrorCode;
  /** `manifest of docker.io/library/nginx:latest is invalid` */
  readonly fault: string;
  readonly reference: string;
}

/**
 * Parses a document and reads it with `read`.
 * @throws {RegistryError} `context.code` with the text of the FieldError that parsing or `read` met
 */
export function readDocument<T>(bytes: Uint8Array, context: DocumentContext, read: (document: JsonObject) => T): T {
  try {
    return read(parseObject(bytes));
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    const { code, fault, reference } = context;
    throw new RegistryError(code, `${fault}: ${error.message}`, { reference, cause: error });
  }
}

/** Parses JSON, as text or in UTF-8; a document that is no object is a fault. */
export function parseObject(json: Uint8Array | string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(typeof json === 'string' ? json : new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch (error) {
    throw new FieldError(
      `it is no JSON document (${sanitize(error instanceof Error ? error.message : String(error), 120)})`,
    );
  }
  if (isObject(value)) return value;
  throw new FieldError(`it is ${shown(value)} and no JSON object`);
}

/** Reads a document inside another one: faults are told with the path of the outer. */
export function readWithin<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof FieldError) throw new FieldError(`${path}: ${error.message}`, path);
    throw error;
  }
}

/** Whether containers are inside each other at most `depth` times: what is deeper cannot be written again safely. */
export function isShallow(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth > 0 && Object.values(value).every((each) => isShallow(each, depth - 1));
}

export function asObject(value: unknown, path: string): JsonObject {
  if (isObject(value)) return value;
  throw wrong(path, 'an object', value);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Absent and null are the same: Go's encoders write null for empty. */
export function field(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? (object[name] ?? undefined) : undefined;
}

export function asString(value: unknown, path: string): string {
  if (typeof value !== 'string') throw wrong(path, 'a string', value);
  return value;
}

export function optionalString(value: unknown, path: string): string | undefined {
  return value === undefined ? undefined : asString(value, path);
}

export function asArray(value: unknown, path: string, max: number): readonly unknown[] {
  if (!Array.isArray(value)) throw wrong(path, 'an array', value);
  if (value.length > max) throw new FieldError(`${path} has ${value.length} entries, more than ${max}`, path);
  return value;
}

export function asStrings(value: unknown, path: string, max: number): readonly string[] {
  return asArray(value, path, max).map((entry, index) => asString(entry, `${path}[${index}]`));
}

/** A string map without a prototype, so that no key means anything. */
export function asStringMap(value: unknown, path: string, max: number): Readonly<Record<string, string>> {
  const entries = Object.entries(asObject(value, path));
  if (entries.length > max) throw new FieldError(`${path} has ${entries.length} entries, more than ${max}`, path);
  const map: Record<string, string> = Object.create(null);
  for (const [key, entry] of entries) {
    if (entry !== null) map[key] = asString(entry, `${path}[${sanitize(JSON.stringify(key), 80)}]`);
  }
  return map;
}

export function asDigest(value: unknown, path: string): Digest {
  if (!isDigest(value)) throw wrong(path, 'a sha256, sha384 or sha512 digest', value);
  return value;
}

export function asSize(value: unknown, path: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw wrong(path, 'a size in bytes', value);
  return value;
}

function wrong(path: string, expected: string, value: unknown): FieldError {
  return new FieldError(`${path}: expected ${expected}, got ${shown(value)}`, path);
}

/** Containers by kind only: writing them out again takes as much stack as whoever wrote them likes. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return sanitize(JSON.stringify(value), 80);
}
