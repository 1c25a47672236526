// SPDX-License-Identifier: Apache-2.0

/** The time in which a rate is measured: long enough to be steady, short enough to notice when nothing comes any more. */
const WINDOW_MS = 5_000;
/** Before that, one chunk makes any rate. */
const MIN_MS = 500;

interface Sample {
  readonly time: number;
  readonly received: number;
}

/** How much has come, and when. Bytes, and milliseconds since the epoch. */
export interface Meter {
  readonly startedAt: number;
  readonly received: number;
  /** The oldest of them is the last from before the window, or the first of all. */
  readonly samples: readonly Sample[];
}

export function startMeter(now: number): Meter {
  return { startedAt: now, received: 0, samples: [{ time: now, received: 0 }] };
}

/** What has come by now, in all. Less than before means that it began again. */
export function tick({ startedAt, received: before, samples }: Meter, received: number, now: number): Meter {
  const kept = received < before ? [] : inWindow(samples, now);
  return { startedAt, received, samples: [...kept, { time: now, received }] };
}

/** Bytes in a second; undefined: too early to tell. */
export function rateOf({ startedAt, received, samples }: Meter, now: number): number | undefined {
  const [oldest] = inWindow(samples, now);
  if (oldest === undefined || now - startedAt < MIN_MS || now - oldest.time < MIN_MS) return undefined;
  return ((received - oldest.received) * 1000) / (now - oldest.time);
}

function inWindow(samples: readonly Sample[], now: number): readonly Sample[] {
  const first = samples.findIndex(({ time }) => time > now - WINDOW_MS);
  return first < 0 ? samples.slice(-1) : samples.slice(Math.max(first - 1, 0));
}
