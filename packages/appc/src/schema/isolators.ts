// SPDX-License-Identifier: Apache-2.0
import { isAcIdentifier } from './ac-name.ts';
import type { Isolator } from './image-manifest.ts';
import {
  arrayOf,
  asBoolean,
  asJsonValue,
  asObject,
  type FieldParser,
  integerIn,
  invalid,
  objectOf,
  optional,
  stringOf,
} from './json-fields.ts';

/** `resource/memory`, `resource/cpu` and the other resources: Kubernetes quantities such as `"512Mi"` or `"500m"`. */
export interface ResourceValue {
  readonly default?: boolean;
  readonly request?: string | number;
  readonly limit?: string | number;
}

/** `os/linux/capabilities-retain-set` and `-remove-set`. */
export interface CapabilitySetValue {
  readonly set: readonly string[];
}

/** `os/linux/seccomp-retain-set` and `-remove-set`: system calls and `@scope/group` names. */
export interface SeccompSetValue {
  readonly set: readonly string[];
  /** Symbolic error number returned instead of killing, such as `EPERM`. */
  readonly errno?: string;
}

const resource: FieldParser<ResourceValue> = objectOf<ResourceValue>({
  default: optional(asBoolean),
  request: optional(asQuantity),
  limit: optional(asQuantity),
});
const capabilitySet: FieldParser<CapabilitySetValue> = objectOf<CapabilitySetValue>({
  set: arrayOf(stringOf((text) => /^[A-Za-z0-9_]{1,64}$/.test(text), 'a capability name')),
});
const seccompSet: FieldParser<SeccompSetValue> = objectOf<SeccompSetValue>({
  set: arrayOf(stringOf((text) => /^@?[A-Za-z0-9_./-]{1,128}$/.test(text), 'a system call or group of system calls')),
  errno: optional(stringOf((text) => /^(?:E[A-Z0-9]{1,31})?$/.test(text), 'an error name such as EPERM')),
});

/** appc spec 0.8.11, "Isolator Types": the shape of the value of every isolator known here; others are kept as they are. */
const VALUES: ReadonlyMap<string, FieldParser<unknown>> = new Map<string, FieldParser<unknown>>([
  ['resource/memory', resource],
  ['resource/cpu', resource],
  ['os/linux/capabilities-retain-set', capabilitySet],
  ['os/linux/capabilities-remove-set', capabilitySet],
  ['os/linux/seccomp-retain-set', seccompSet],
  ['os/linux/seccomp-remove-set', seccompSet],
  ['os/linux/no-new-privileges', asBoolean],
  ['os/linux/oom-score-adj', integerIn(-1000, 1000)],
  ['os/linux/cpu-shares', integerIn(2, 262_144)],
]);

const isolatorName: FieldParser<string> = stringOf(isAcIdentifier, 'an AC Identifier');

export function asIsolator(value: unknown, path: string): Isolator {
  const object = asObject(value, path);
  const name = isolatorName(object['name'], `${path}.name`);
  const parse = VALUES.get(name) ?? asJsonValue;
  if (object['value'] === undefined) throw invalid(`${path}.value`, 'given', undefined);
  return { name, value: parse(object['value'], `${path}.value`) };
}

/** A decimal number with a suffix of either kind or an exponent, or a plain number; never negative. */
function asQuantity(value: unknown, path: string): string | number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  const pattern = /^\+?(?:\d{1,18}(?:\.\d{0,9})?|\.\d{1,9})(?:[eE][+-]?\d{1,2}|[numkMGTPE]|[KMGTPE]i)?$/;
  if (typeof value === 'string' && pattern.test(value)) return value;
  throw invalid(path, 'a quantity such as "512Mi" or "500m"', value);
}
