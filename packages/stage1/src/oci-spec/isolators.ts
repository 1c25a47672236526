// SPDX-License-Identifier: Apache-2.0
import type { Isolator } from '@rkt/appc';
import { Stage1Error } from '../error.ts';
import { quote } from '../quote.ts';
import { parseQuantity } from './quantity.ts';

/** A set of system calls and what a call outside it (retain) or in it (remove) gets. */
export interface SeccompSet {
  readonly mode: 'retain' | 'remove';
  readonly set: readonly string[];
  /** A name such as `EPERM`. */
  readonly errno?: string;
}

/** The isolators of an app that have an effect, read from their JSON values. */
export interface AppIsolators {
  readonly memoryBytes: number | undefined;
  readonly cpuMillicores: number | undefined;
  readonly cpuShares: number | undefined;
  readonly pids: number | undefined;
  readonly oomScoreAdj: number | undefined;
  readonly noNewPrivileges: boolean;
  readonly capabilitiesRetain: readonly string[] | undefined;
  readonly capabilitiesRemove: readonly string[] | undefined;
  readonly seccomp: SeccompSet | undefined;
}

const maxSetEntries = 1024;

/**
 * Reads appc isolators (specification 0.8.11, "Isolator Types"; `resource/pids` is ours). Names that are not known are
 * ignored, as the specification asks. Of a repeated name the last counts.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_ISOLATOR_INVALID naming the isolator
 */
export function readIsolators(isolators: readonly Isolator[]): AppIsolators {
  const values = new Map(isolators.map(({ name, value }) => [name, value]));
  const read = <T>(name: string, parse: (value: unknown) => T): T | undefined => {
    if (!values.has(name)) return undefined;
    try {
      return parse(values.get(name));
    } catch (error) {
      const reason = error instanceof RangeError ? error.message : String(error);
      throw new Stage1Error('ERR_RKT_STAGE1_ISOLATOR_INVALID', `isolator ${name}: ${reason}`, { cause: error });
    }
  };
  return {
    memoryBytes: read('resource/memory', (value) => atLeast(Math.ceil(limitOf(value)), 4096)),
    cpuMillicores: read('resource/cpu', (value) => atLeast(Math.ceil(limitOf(value) * 1000), 1)),
    pids: read('resource/pids', (value) => atLeast(Math.ceil(limitOf(value)), 1)),
    cpuShares: read('os/linux/cpu-shares', (value) => integer(value, 2, 262_144)),
    oomScoreAdj: read('os/linux/oom-score-adj', (value) => integer(value, -1000, 1000)),
    noNewPrivileges: read('os/linux/no-new-privileges', boolean) ?? false,
    capabilitiesRetain: read('os/linux/capabilities-retain-set', stringSet),
    capabilitiesRemove: read('os/linux/capabilities-remove-set', stringSet),
    seccomp: readSeccomp(read),
  };
}

type Reader = <T>(name: string, parse: (value: unknown) => T) => T | undefined;

function readSeccomp(read: Reader): SeccompSet | undefined {
  const retain = read('os/linux/seccomp-retain-set', (value) => seccompSet('retain', value));
  const remove = read('os/linux/seccomp-remove-set', (value) => seccompSet('remove', value));
  if (retain && remove) {
    const message = 'os/linux/seccomp-retain-set and os/linux/seccomp-remove-set exclude each other';
    throw new Stage1Error('ERR_RKT_STAGE1_ISOLATOR_INVALID', message);
  }
  return retain ?? remove;
}

function seccompSet(mode: SeccompSet['mode'], value: unknown): SeccompSet {
  const set = stringSet(value);
  for (const entry of set) {
    if (!/^(@[a-z0-9.]+\/)?[a-z0-9_-]{1,64}$/.test(entry)) throw new RangeError(`${quote(entry)} names no system call`);
  }
  const errno = field(value, 'errno');
  if (errno === undefined || errno === '') return { mode, set };
  if (typeof errno !== 'string') throw new RangeError(`expected errno to be a name, got ${typeof errno}`);
  return { mode, set, errno };
}

function stringSet(value: unknown): readonly string[] {
  const set = field(value, 'set');
  if (!Array.isArray(set)) throw new RangeError('expected an array "set"');
  if (set.length > maxSetEntries) throw new RangeError(`expected at most ${maxSetEntries} names, got ${set.length}`);
  return set.map((entry) => {
    if (typeof entry !== 'string') throw new RangeError(`expected names, got ${typeof entry}`);
    return entry;
  });
}

function limitOf(value: unknown): number {
  const limit = field(value, 'limit');
  if (typeof limit === 'number' || typeof limit === 'string') return parseQuantity(String(limit));
  throw new RangeError('expected a quantity "limit"');
}

function atLeast(value: number, minimum: number): number {
  if (value < minimum) throw new RangeError(`expected at least ${minimum}, got ${value}`);
  return value;
}

function integer(value: unknown, minimum: number, maximum: number): number {
  const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isInteger(number) && number >= minimum && number <= maximum) return number;
  throw new RangeError(`expected a whole number from ${minimum} to ${maximum}, got ${quote(String(value))}`);
}

function boolean(value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new RangeError(`expected true or false, got ${quote(String(value))}`);
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new RangeError('expected an object');
  return Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
}
