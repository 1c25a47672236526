// SPDX-License-Identifier: Apache-2.0
import { sanitize } from './sanitize.ts';

/** The first error of a registry's error document. OCI distribution spec, "Error Codes". */
export interface ErrorBody {
  /** As the registry wrote it, upper case: `MANIFEST_UNKNOWN`, `DENIED`. */
  readonly code: string | undefined;
  /** Safe to print, at most 300 characters. */
  readonly message: string | undefined;
}

/**
 * Reads an error document; anything else gives no code and, when it is short text, the text. Never throws. Some servers
 * repeat what they were sent: `secrets` are written as `***`.
 */
export function parseErrorBody(
  bytes: Uint8Array,
  contentType: string | undefined,
  secrets: readonly string[] = [],
): ErrorBody {
  const text = new TextDecoder().decode(bytes).trim();
  const first = firstError(text, secrets);
  if (first !== undefined) return first;
  const plain = contentType?.toLowerCase().startsWith('text/plain') === true && text !== '' && !text.startsWith('<');
  return { code: undefined, message: plain ? sanitize(without(secrets, text)) : undefined };
}

/** Before it is cut: the first half of a token tells too much, too. */
function without(secrets: readonly string[], text: string): string {
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
}

function firstError(text: string, secrets: readonly string[]): ErrorBody | undefined {
  const document = parseJson(text);
  if (!isRecord(document)) return undefined;
  const errors = document['errors'];
  const entry: unknown = Array.isArray(errors) ? errors[0] : document;
  if (!isRecord(entry)) return undefined;
  const code = entry['code'];
  const message = entry['message'] ?? entry['details'] ?? entry['error'];
  return {
    code: typeof code === 'string' ? sanitize(without(secrets, code), 64).toUpperCase() : undefined,
    message: typeof message === 'string' && message !== '' ? sanitize(without(secrets, message)) : undefined,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
