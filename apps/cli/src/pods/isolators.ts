// SPDX-License-Identifier: Apache-2.0
import type { Isolator } from '@rkt/appc';
import type { FlagValues } from '../args/flag.ts';
import { usageError } from '../errors.ts';
import { parseOomScoreAdj, parseSeccompFlag } from './isolator-flags.ts';
import { parseBytes } from './quantity.ts';

/** The isolators of an image with those of the command line in the place of ones of the same name. */
export function isolatorsOf(image: readonly Isolator[], flags: FlagValues): readonly Isolator[] {
  const given = [
    ...memory(flags.text('memory')),
    ...resource('resource/cpu', flags.text('cpu')),
    ...shares(flags.text('cpu-shares')),
    ...oomScoreAdj(flags.text('oom-score-adj')),
    ...capabilities(flags),
    ...seccomp(flags.text('seccomp')),
  ];
  const replaced = new Set(given.map(({ name }) => name));
  // What is to be retained and what removed exclude each other.
  for (const kind of [CAPABILITIES, SECCOMP]) {
    if (!given.some(({ name }) => name.startsWith(kind))) continue;
    for (const { name } of image) if (name.startsWith(kind)) replaced.add(name);
  }
  return [...image.filter(({ name }) => !replaced.has(name)), ...given];
}

const CAPABILITIES = 'os/linux/capabilities-';
const SECCOMP = 'os/linux/seccomp-';

function oomScoreAdj(text: string | undefined): readonly Isolator[] {
  return text === undefined ? [] : [{ name: 'os/linux/oom-score-adj', value: parseOomScoreAdj(text) }];
}

function seccomp(text: string | undefined): readonly Isolator[] {
  return text === undefined ? [] : [parseSeccompFlag(text)];
}

function memory(text: string | undefined): readonly Isolator[] {
  return resource('resource/memory', text === undefined ? undefined : parseBytes(text));
}

function resource(name: string, limit: string | undefined): readonly Isolator[] {
  return limit === undefined ? [] : [{ name, value: { limit } }];
}

function shares(text: string | undefined): readonly Isolator[] {
  if (text === undefined) return [];
  const value = Number(text);
  if (!Number.isInteger(value)) throw usageError(`--cpu-shares must be a whole number, got "${text}"`);
  return [{ name: 'os/linux/cpu-shares', value }];
}

function capabilities(flags: FlagValues): readonly Isolator[] {
  const retain = list(flags.texts('caps-retain'));
  const remove = list(flags.texts('caps-remove'));
  if (retain.length > 0 && remove.length > 0) {
    throw usageError('--caps-retain and --caps-remove cannot be used together');
  }
  if (retain.length > 0) return [{ name: `${CAPABILITIES}retain-set`, value: { set: retain } }];
  return remove.length > 0 ? [{ name: `${CAPABILITIES}remove-set`, value: { set: remove } }] : [];
}

/** `NET_RAW`, `CAP_NET_RAW` and `cap_net_raw` are the same capability. */
function list(values: readonly string[]): readonly string[] {
  const names = values.flatMap((value) => value.split(',')).filter((name) => name !== '');
  return names.map((name) => `CAP_${name.toUpperCase().replace(/^CAP_/, '')}`);
}
