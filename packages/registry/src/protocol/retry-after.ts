// SPDX-License-Identifier: Apache-2.0

/**
 * The wait of a `Retry-After` field in milliseconds (RFC 9110, section 10.2.3: seconds or a date), or undefined when it
 * is absent or garbage. A date in the past is no wait.
 */
export function parseRetryAfter(field: string | undefined, now: number): number | undefined {
  if (field === undefined) return undefined;
  const text = field.trim();
  if (/^[0-9]{1,12}$/.test(text)) return Number(text) * 1000;
  // Only the IMF form begins with a letter; Date.parse would also read stray numbers as years.
  if (!/^[A-Za-z]{3,9},? /.test(text) || text.length > 64) return undefined;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
