// SPDX-License-Identifier: Apache-2.0
import type { PodManifest } from '@rkt/appc';
import type { Health } from '../health/health.ts';
import type { ProcessIdentity } from '../host/index.ts';
import type { NetworkResult } from '../networking/index.ts';
import type { IdRange } from '../oci-spec/index.ts';
import { leastId, rangeSize } from '../users/choose-range.ts';
import type { AppRecord, EndRecord, RunRecord, SandboxRecord } from './records.ts';

/**
 * Whether a file has the shape of the record it should hold. The files are ours alone (the directory is 0700) and written
 * atomically; what is told apart is a file damaged by the disk, or written by a stranger or another version. What is
 * looked at is what the code goes on to rely on without asking again.
 */
export const shapes = {
  manifest: (value: unknown): value is PodManifest =>
    isObject(value) && isListOf(value['apps'], isApp) && isOptional(value['volumes'], Array.isArray),
  sandbox: (value: unknown): value is SandboxRecord =>
    isObject(value) &&
    isNumber(value['createdAt']) &&
    isObject(value['spec']) &&
    isListOf(value['spec']['networks'], isNamed) &&
    isObject(value['rootfs']) &&
    isOptional(value['spec']['privateUsers'], isBoolean) &&
    isOptional(value['spec']['pid'], (pid) => pid === 'app' || pid === 'pod') &&
    [value['ephemeral'], value['mutable']].every((each) => isOptional(each, isBoolean)),
  run: (value: unknown): value is RunRecord =>
    isObject(value) &&
    [value['createdAt'], value['startedAt']].every(isNumber) &&
    [value['flavor'], value['hostname']].every(isString) &&
    isBoolean(value['hostNetwork']) &&
    isIdentity(value['holder']) &&
    isOptional(value['init'], isIdentity) &&
    isListOf(value['networks'], isNetwork) &&
    isOptional(value['users'], isIdRange) &&
    isOptional(value['kept'], isBoolean) &&
    isOptional(value['ended'], isEnd),
  app: (value: unknown): value is AppRecord =>
    isObject(value) &&
    isNumber(value['createdAt']) &&
    [
      ...[value['startedAt'], value['finishedAt'], value['exitCode']],
      ...[value['restarts'], value['restartsInARow']],
    ].every((each) => isOptional(each, isNumber)) &&
    isOptional(value['outOfMemory'], isBoolean) &&
    isOptional(value['streams'], isStreams) &&
    [value['process'], value['monitor']].every((each) => isOptional(each, isIdentity)),
  health: (value: unknown): value is Health =>
    isObject(value) &&
    (value['status'] === 'starting' || value['status'] === 'healthy' || value['status'] === 'unhealthy') &&
    isNumber(value['failures']) &&
    [value['checkedAt'], value['exitCode']].every((each) => isOptional(each, isNumber)),
} as const;

function isEnd(value: unknown): value is EndRecord {
  if (!isObject(value) || !isObject(value['apps'])) return false;
  return shapes.manifest(value['manifest']) && Object.values(value['apps']).every(shapes.app);
}

function isApp(value: unknown): boolean {
  if (!isNamed(value) || !isObject(value['image'])) return false;
  return isString(value['image']['id']) && isOptional(value['image']['name'], isString);
}

/** Signalling a process takes the pid at its word: 0 and what is negative would be groups. */
export function isIdentity(value: unknown): value is ProcessIdentity {
  if (!isObject(value) || !isString(value['startTime']) || !isString(value['bootId'])) return false;
  const { pid } = value;
  return isNumber(pid) && Number.isSafeInteger(pid) && pid > 0;
}

/** Files are given to these, so that none of the host's own may be among them. */
function isIdRange(value: unknown): value is IdRange {
  if (!isObject(value)) return false;
  const { first, count } = value;
  return isNumber(first) && isNumber(count) && Number.isSafeInteger(first) && first >= leastId && count === rangeSize;
}

function isNetwork(value: unknown): value is NetworkResult {
  if (!isObject(value) || ![value['netName'], value['ifName']].every(isString)) return false;
  const { attachment, ip, ip6 } = value;
  if (!isObject(attachment) || !isObject(attachment['network']) || !Array.isArray(attachment['ports'])) return false;
  return isListOf(attachment['network']['plugins'], isObject) && [ip, ip6].every((each) => isOptional(each, isString));
}

function isStreams(value: unknown): boolean {
  return isObject(value) && isBoolean(value['stdin']) && isBoolean(value['terminal']);
}

function isNamed(value: unknown): value is Readonly<Record<string, unknown>> {
  return isObject(value) && isString(value['name']);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

function isListOf(value: unknown, is: (each: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(is);
}

function isOptional(value: unknown, is: (present: unknown) => boolean): boolean {
  return value === undefined || is(value);
}
