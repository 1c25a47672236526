// SPDX-License-Identifier: Apache-2.0

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const SPANS: readonly (readonly [name: string, milliseconds: number])[] = [
  ['year', 365 * DAY],
  ['month', 30 * DAY],
  ['week', 7 * DAY],
  ['day', DAY],
  ['hour', HOUR],
  ['minute', MINUTE],
  ['second', SECOND],
];

/** How long ago a moment was: `now`, `1 second ago`, `3 minutes ago`. Milliseconds since the epoch. */
export function formatAgo(time: number, now: number): string {
  const distance = Math.abs(now - time);
  for (const [name, milliseconds] of SPANS) {
    const count = Math.floor(distance / milliseconds);
    if (count >= 1) return `${count} ${name}${count === 1 ? '' : 's'} ${time > now ? 'from now' : 'ago'}`;
  }
  return 'now';
}

/** A moment in local time as Go's layout `2006-01-02 15:04:05.999 -0700 MST` prints it. */
export function formatMoment(time: number): string {
  const date = new Date(time);
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  const clock = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
  const fraction = `.${pad(date.getMilliseconds(), 3)}`.replace(/\.?0+$/, '');
  const offset = -date.getTimezoneOffset();
  const hours = `${pad(Math.floor(Math.abs(offset) / 60))}${pad(Math.abs(offset) % 60)}`;
  return `${day} ${clock}${fraction} ${offset < 0 ? '-' : '+'}${hours} ${zoneName(date, offset)}`;
}

/** Loading the names of time zones is slow, so UTC goes without. */
function zoneName(date: Date, offset: number): string {
  if (offset === 0 && (process.env['TZ'] ?? 'UTC') === 'UTC') return 'UTC';
  const format = new Intl.DateTimeFormat('en-GB', { timeZoneName: 'short' });
  return format.formatToParts(date).find(({ type }) => type === 'timeZoneName')?.value ?? 'UTC';
}

function pad(value: number, width = 2): string {
  return String(value).padStart(width, '0');
}

/** Nanoseconds of a time in milliseconds, as JSON output has them. */
export function nanoseconds(time: number): number {
  return Math.round(time) * 1_000_000;
}
