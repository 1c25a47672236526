// SPDX-License-Identifier: Apache-2.0
import type { Isolator, SeccompSetValue } from '@rkt/appc';

/** Reads `--oom-score-adj`: -1000 (never) to 1000 (first). Throws an Error for what is none. */
export function parseOomScoreAdj(text: string): number {
  const value = /^-?\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= -1000 && value <= 1000) return value;
  throw new Error('it must be a whole number from -1000 to 1000');
}

/** Reads `mode=retain|remove[,errno=NAME],CALL|@SET,...` into its isolator. Throws an Error for what is none. */
export function parseSeccompFlag(text: string): Isolator {
  const [first = '', ...others] = text.split(',');
  const [, mode] = /^mode=(retain|remove)$/.exec(first) ?? [];
  if (mode === undefined) throw new Error('it must begin with mode=retain or mode=remove');
  const errno = others.find((item) => item.startsWith('errno='))?.slice('errno='.length);
  const set = others.filter((item) => !item.startsWith('errno='));
  const wrong = set.find((item) => !/^(@[a-z0-9.]+\/)?[a-z0-9_-]{1,64}$/.test(item));
  if (wrong !== undefined)
    throw new Error(`"${wrong}" is neither a system call nor a set such as @docker/default-whitelist`);
  if (set.length === 0) throw new Error('it must name at least one system call or set');
  const value: SeccompSetValue = { set, ...(errno === undefined ? {} : { errno }) };
  return { name: `os/linux/seccomp-${mode}-set`, value };
}
