// SPDX-License-Identifier: Apache-2.0
import type { RuntimeApp } from '@rkt/appc';

/** How it is found out whether an app does its work, as its image has it (Dockerfile's HEALTHCHECK). Times in ms. */
export interface HealthCheck {
  /** Executed in the app, the executable first; 0 is healthy. */
  readonly command: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** For so long after the start failures do not count. */
  readonly startPeriodMs: number;
  readonly startIntervalMs: number;
  /** So many failures one after the other make an app unhealthy. */
  readonly retries: number;
}

const annotation = 'appc.io/docker/healthcheck';
const second = 1_000;
const nanosecondsPerMs = 1e6;
const longestMs = 24 * 3_600 * second;
/** A check takes a process of the host's, outside of what the app is limited to: an image must not keep it busy with them. */
const shortestPauseMs = second;
const mostRetries = 1_000;

/** Undefined for an app whose image has none, has it turned off, or says something that cannot be used. */
export function healthCheckOf({ annotations = [] }: RuntimeApp): HealthCheck | undefined {
  const stated = parsed(annotations.find(({ name }) => name === annotation)?.value);
  const command = stated && commandOf(stated['Test']);
  if (stated === undefined || command === undefined) return undefined;
  const time = (name: string, otherwise: number): number => milliseconds(stated[name]) ?? otherwise;
  const pause = (name: string, otherwise: number): number => Math.max(shortestPauseMs, time(name, otherwise));
  const { Retries: retries } = stated;
  const isCount = typeof retries === 'number' && Number.isInteger(retries) && retries > 0;
  return {
    command,
    intervalMs: pause('Interval', 30 * second),
    timeoutMs: time('Timeout', 30 * second),
    startPeriodMs: time('StartPeriod', 0),
    startIntervalMs: pause('StartInterval', 5 * second),
    retries: isCount ? Math.min(retries, mostRetries) : 3,
  };
}

type JsonObject = Readonly<Record<string, unknown>>;

/** Annotations come from the image. */
function parsed(text: string | undefined): JsonObject | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** `["CMD", ...]`, `["CMD-SHELL", TEXT]`, `["NONE"]`. */
function commandOf(test: unknown): readonly string[] | undefined {
  if (!Array.isArray(test) || !test.every((word) => typeof word === 'string' && !word.includes('\0'))) return undefined;
  const [kind, ...words]: readonly string[] = test;
  if (kind === 'CMD') return words.length > 0 ? words : undefined;
  const [script] = words;
  return kind === 'CMD-SHELL' && script !== undefined ? ['/bin/sh', '-c', script] : undefined;
}

/** Docker writes nanoseconds, and 0 for what is not said. Less than a millisecond it does not take either. */
function milliseconds(value: unknown): number | undefined {
  if (typeof value !== 'number' || !(value >= nanosecondsPerMs)) return undefined;
  return Math.min(longestMs, Math.round(value / nanosecondsPerMs));
}
