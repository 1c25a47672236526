// SPDX-License-Identifier: Apache-2.0
import { redact, type Secrets } from './redact.ts';

/** The first error of a registry's error document. OCI distribution spec, "Error Codes". */
export interface ErrorBody {
  /** In upper case: `MANIFEST_UNKNOWN`, `DENIED`. To be compared and never shown: it may repeat a secret. */
  readonly code: string | undefined;
  /** The message, or for want of one the code; safe to print, at most 300 characters. */
  readonly said: string | undefined;
}

const NO_SECRETS: Secrets = { plain: [], encoded: [] };
const MAX_CODE = 64;

/**
 * Reads an error document; anything else gives no code and, when it is short text, the text. Never throws. Some servers
 * repeat what they were sent: what holds one of `secrets` is not said.
 */
export function parseErrorBody(
  bytes: Uint8Array,
  contentType: string | undefined,
  secrets: Secrets = NO_SECRETS,
): ErrorBody {
  const text = new TextDecoder().decode(bytes);
  const first = firstError(text, secrets);
  if (first !== undefined) return first;
  const isText = contentType?.toLowerCase().startsWith('text/plain') === true && !/^\s*(<|$)/.test(text);
  return { code: undefined, said: isText ? redact(text, secrets) : undefined };
}

function firstError(text: string, secrets: Secrets): ErrorBody | undefined {
  const document = parseJson(text);
  if (!isRecord(document)) return undefined;
  const errors = document['errors'];
  const entry: unknown = Array.isArray(errors) ? errors[0] : document;
  if (!isRecord(entry)) return undefined;
  const code = typeof entry['code'] === 'string' ? entry['code'] : undefined;
  const message = entry['message'] ?? entry['details'] ?? entry['error'];
  const explained = typeof message === 'string' && message !== '' ? redact(message, secrets) : undefined;
  const named = code === undefined ? undefined : redact(code, secrets, MAX_CODE)?.toUpperCase();
  return { code: code?.toUpperCase(), said: explained ?? named };
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
