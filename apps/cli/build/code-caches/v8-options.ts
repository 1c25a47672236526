// SPDX-License-Identifier: Apache-2.0

/** With these the same is compiled the same way; V8 does not ask for them when it reads a code cache. */
export const repeatable: readonly string[] = ['--random-seed=1', '--predictable'];

/**
 * Options under which a program leaves no more in its code caches than what was compiled, each with what it usually is. The collector
 * does not run, as memory that is used again has old bytes in its gaps, and code that is not called for a while would be
 * dropped; and functions do not remember whether they were hot.
 */
const options = [
  ['--min-semi-space-size=128', '--min-semi-space-size=0'],
  ['--max-semi-space-size=128', '--max-semi-space-size=0'],
  ['--initial-old-space-size=1024', '--initial-old-space-size=0'],
  ['--external-memory-accounted-in-global-limit', '--no-external-memory-accounted-in-global-limit'],
  ['--no-sparkplug', '--sparkplug'],
  ['--no-profile-guided-optimization', '--profile-guided-optimization'],
] as const;

/** To start with. */
export const traceless: readonly string[] = options.map(([option]) => option);

/** To be set before a code cache is written: V8 takes none that was written under other options. */
export const asUsual: readonly string[] = options.map(([, usual]) => usual);
