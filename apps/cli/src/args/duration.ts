// SPDX-License-Identifier: Apache-2.0

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h)/y;

/**
 * Milliseconds of a duration as Go writes them, `30m`, `1h30m`, `0s`, `1.5h`, or of a number of seconds, as docker has them. Throws
 * an Error for anything else.
 */
export function parseDuration(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  let total = 0;
  let at = 0;
  while (at < text.length) {
    PART.lastIndex = at;
    const [whole, number, unit] = PART.exec(text) ?? [];
    if (whole === undefined) break;
    total += Number(number) * (MILLISECONDS[unit ?? ''] ?? 0);
    at += whole.length;
  }
  if (at === 0 || at < text.length || !Number.isSafeInteger(Math.ceil(total))) {
    throw new Error('it must be a duration such as "30m" or "1h30m"');
  }
  return Math.round(total);
}

/** Writes milliseconds as Go prints a duration: `30m0s`. */
export function formatDuration(milliseconds: number): string {
  const seconds = (milliseconds % 60_000) / 1000;
  const minutes = Math.floor(milliseconds / 60_000) % 60;
  const hours = Math.floor(milliseconds / 3_600_000);
  if (hours > 0) return `${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`;
}
