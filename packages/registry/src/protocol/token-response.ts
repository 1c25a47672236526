// SPDX-License-Identifier: Apache-2.0

/** A bearer token and when to stop using it. */
export interface Token {
  readonly value: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

const DEFAULT_LIFE_SECONDS = 60;
const MAX_LIFE_SECONDS = 86_400;
/** A token is not used in its last seconds: the request has to arrive before it ends. */
const MARGIN_MS = 5_000;
const MAX_TOKEN = 65_536;

/**
 * Reads a token server's answer: `token` or `access_token`, `expires_in` in seconds (60 when absent, and at least 60:
 * older servers say less and mean it not). Undefined when there is no usable token.
 */
export function parseTokenResponse(bytes: Uint8Array, now: number): Token | undefined {
  const document = parseJson(bytes);
  if (typeof document !== 'object' || document === null) return undefined;
  const fields = document as Readonly<Record<string, unknown>>;
  const value = [fields['token'], fields['access_token']].find(isToken);
  if (value === undefined) return undefined;
  const stated = fields['expires_in'];
  const life = typeof stated === 'number' && Number.isFinite(stated) ? stated : DEFAULT_LIFE_SECONDS;
  const seconds = Math.min(Math.max(life, DEFAULT_LIFE_SECONDS), MAX_LIFE_SECONDS);
  return { value, expiresAt: now + seconds * 1000 - MARGIN_MS };
}

/** Visible ASCII only: a token becomes a header field, so nothing in it may end the line. */
export function isToken(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TOKEN && /^[\x21-\x7e]+$/.test(value);
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
