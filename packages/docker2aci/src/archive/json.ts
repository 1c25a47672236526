// SPDX-License-Identifier: Apache-2.0
import { ConversionError } from '../errors.ts';

/** A JSON object. Own properties only are to be read. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** @throws ConversionError `ARCHIVE_INVALID` (as all functions here) */
export function parseJsonObject(bytes: Uint8Array, where: string): JsonObject {
  return objectIn(parseJson(bytes, where), where);
}

export function parseJson(bytes: Uint8Array, where: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw invalid(`${where}: expected JSON`, error);
  }
}

export function objectIn(value: unknown, where: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(`${where}: expected an object`);
  return value as JsonObject;
}

export function stringAt(object: JsonObject, name: string, where: string): string {
  const value = Object.hasOwn(object, name) ? object[name] : undefined;
  if (typeof value !== 'string') throw invalid(`${where}: expected a string as ${name}`);
  return value;
}

export function arrayAt(
  object: JsonObject,
  name: string,
  limits: { readonly where: string; readonly max: number },
): readonly unknown[] {
  const value = Object.hasOwn(object, name) ? object[name] : undefined;
  return arrayIn(value ?? [], { ...limits, where: `${limits.where}: ${name}` });
}

export function arrayIn(value: unknown, limits: { readonly where: string; readonly max: number }): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid(`${limits.where}: expected an array`);
  if (value.length > limits.max) throw invalid(`${limits.where}: ${value.length} entries are more than ${limits.max}`);
  return value;
}

function invalid(text: string, cause?: unknown): ConversionError {
  return new ConversionError('ERR_RKT_DOCKER2ACI_ARCHIVE_INVALID', text, { cause });
}
