// SPDX-License-Identifier: Apache-2.0
import {
  asArray,
  asObject,
  asString,
  FieldError,
  field,
  type JsonObject,
  parseObject,
  readDocument,
  readWithin,
} from './json.ts';

/** Registries of old kept a signature of every push. */
const MAX_SIGNATURES = 1024;
const KEY = Buffer.from('"signatures"');

/**
 * The bytes the digest of a manifest is over: of a signed Docker schema 1 manifest the payload of its JSON web
 * signature, that is the document up to `formatLength` and `formatTail` (both in the protected header); of any other
 * document the document. Only the form of signatures is checked: whose key it is nobody could say.
 *
 * @throws {RegistryError} ERR_RKT_REGISTRY_MANIFEST_INVALID for signatures that say no payload, or several
 */
export function signedPayload(bytes: Uint8Array, reference: string): Uint8Array {
  const signed = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(KEY);
  if (!signed || !isSchema1(bytes)) return bytes;
  const fault = `manifest of ${reference} is invalid`;
  return readDocument(bytes, { code: 'ERR_RKT_REGISTRY_MANIFEST_INVALID', fault, reference }, (document) => {
    const signatures = field(document, 'signatures');
    return signatures === undefined ? bytes : payloadOf(bytes, asArray(signatures, 'signatures', MAX_SIGNATURES));
  });
}

/** What is no JSON document is for whoever reads it to refuse. */
function isSchema1(bytes: Uint8Array): boolean {
  try {
    return field(parseObject(bytes), 'schemaVersion') === 1;
  } catch (error) {
    if (error instanceof FieldError) return false;
    throw error;
  }
}

interface Format {
  readonly length: number;
  readonly tail: string;
}

function payloadOf(bytes: Uint8Array, signatures: readonly unknown[]): Uint8Array {
  const [first, ...others] = signatures.map((entry, index) => readFormat(entry, `signatures[${index}]`, bytes.length));
  if (first === undefined) throw new FieldError('signatures is empty');
  if (others.some(({ length, tail }) => length !== first.length || tail !== first.tail)) {
    throw new FieldError('its signatures are over different payloads');
  }
  return Buffer.concat([bytes.subarray(0, first.length), Buffer.from(first.tail, 'base64url')]);
}

function readFormat(entry: unknown, path: string, max: number): Format {
  const signature = asObject(entry, path);
  const header = readProtected(asString(field(signature, 'protected'), `${path}.protected`), `${path}.protected`);
  const length = field(header, 'formatLength');
  if (typeof length !== 'number' || !Number.isSafeInteger(length) || length < 1 || length > max) {
    throw new FieldError(`${path}.protected.formatLength: expected 1 to ${max} bytes`);
  }
  const where = `${path}.protected.formatTail`;
  return { length, tail: asBase64url(asString(field(header, 'formatTail'), where), where) };
}

function readProtected(text: string, path: string): JsonObject {
  const bytes = Buffer.from(asBase64url(text, path), 'base64url');
  return readWithin(path, () => parseObject(bytes));
}

/** RFC 7515, section 2: without padding. */
function asBase64url(text: string, path: string): string {
  if (/^[A-Za-z0-9_-]*$/.test(text) && text.length % 4 !== 1) return text;
  throw new FieldError(`${path} is not base64url`);
}
