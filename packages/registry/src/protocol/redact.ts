// SPDX-License-Identifier: Apache-2.0
import { sanitize } from './sanitize.ts';

/** What a server was sent and must not be shown of what it answers. */
export interface Secrets {
  /** Passwords and tokens, as they are. */
  readonly plain: readonly string[];
  /** Logins in base64, padded. */
  readonly encoded: readonly string[];
}

/**
 * Text of a server, safe to print and at most `max` characters, with `***` for a login in base64. Undefined where a
 * password or a token is in it, also percent-encoded or as in a form: one that is a word would be told by the hole that
 * it leaves in a sentence. The whole text is looked through: the first half of a token tells too much, too.
 */
export function redact(text: string, { plain, encoded }: Secrets, max?: number): string | undefined {
  const rest = encoded.reduce((before, login) => before.replaceAll(login, '***'), text);
  const unpadded = encoded.map((login) => login.replace(/=+$/, ''));
  return isTold(text, plain) || isTold(rest, unpadded) ? undefined : sanitize(rest.trim(), max);
}

function isTold(text: string, secrets: readonly string[]): boolean {
  const readings = [text, percentDecoded(text), percentDecoded(text.replaceAll('+', ' '))].map(asSent);
  return secrets.map(asSent).some((secret) => readings.some((reading) => reading.includes(secret)));
}

/** Lone surrogates have no encoding: what is sent has replacement characters for them. */
function asSent(text: string): string {
  return text.toWellFormed();
}

/** What is no escape stays, and what is no UTF-8 becomes replacement characters. */
function percentDecoded(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) =>
    Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('utf8'),
  );
}
