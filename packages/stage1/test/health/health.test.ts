// SPDX-License-Identifier: Apache-2.0
import type { RuntimeApp } from '@rkt/appc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkedHealth, type Health, unchecked } from '../../src/health/health.ts';
import { type HealthCheck, healthCheckOf } from '../../src/health/health-check.ts';
import { watchHealth } from '../../src/health/watch-health.ts';
import { createFakeHost } from '../../src/testing/index.ts';

function appWith(value: string | undefined): RuntimeApp {
  const annotations = value === undefined ? [] : [{ name: 'appc.io/docker/healthcheck', value }];
  return { name: 'web', image: { id: 'sha512-0' }, app: { exec: ['/x'], user: '0', group: '0' }, annotations };
}

const defaults = { intervalMs: 30_000, timeoutMs: 30_000, startPeriodMs: 0, startIntervalMs: 5_000, retries: 3 };

describe('the health check of an image', () => {
  it('has the times of the image, and docker’s otherwise', () => {
    const stated = { Test: ['CMD', '/check', 'a'], Interval: 5e9, Timeout: 1.5e9, StartPeriod: 6e10, Retries: 5 };
    expect(healthCheckOf(appWith(JSON.stringify(stated)))).toEqual({
      ...{ command: ['/check', 'a'], intervalMs: 5_000, timeoutMs: 1_500, startPeriodMs: 60_000 },
      ...{ startIntervalMs: 5_000, retries: 5 },
    });
    const shell = { Test: ['CMD-SHELL', 'curl -f localhost || exit 1'], Interval: 0, Retries: 0 };
    const command = ['/bin/sh', '-c', 'curl -f localhost || exit 1'];
    expect(healthCheckOf(appWith(JSON.stringify(shell)))).toEqual({ ...defaults, command });
  });

  it.each([
    [undefined],
    ['no JSON'],
    ['[]'],
    ['null'],
    ['{}'],
    ['{"Test":[]}'],
    ['{"Test":["NONE"]}'],
    ['{"Test":["CMD"]}'],
    ['{"Test":["CMD-SHELL"]}'],
    ['{"Test":["CMD",7]}'],
    ['{"Test":["CMD","a\\u0000"]}'],
    ['{"Test":"CMD"}'],
  ])('is none with %j', (value) => {
    expect(healthCheckOf(appWith(value))).toBeUndefined();
  });

  it('comes no more often than every second, whatever the image says: a check costs the host more than the app', () => {
    const often = { Test: ['CMD', '/x'], Interval: 1e6, StartInterval: 2e6, Timeout: 3e6 };
    expect(healthCheckOf(appWith(JSON.stringify(often)))).toMatchObject({
      ...{ intervalMs: 1_000, startIntervalMs: 1_000, timeoutMs: 3 },
    });
  });

  it('is bounded, whatever the image says', () => {
    fc.assert(
      fc.property(fc.record({ Interval: fc.anything(), Timeout: fc.anything(), Retries: fc.anything() }), (values) => {
        const check = healthCheckOf(appWith(JSON.stringify({ Test: ['CMD', 'x'], ...values })));
        const times = [check?.intervalMs, check?.timeoutMs].map((ms = 0) => ms >= 1 && ms <= 86_400_000);
        return times.every(Boolean) && check !== undefined && check.retries >= 1 && check.retries <= 1_000;
      }),
    );
  });
});

describe('health', () => {
  const check: HealthCheck = { ...defaults, command: ['x'], retries: 2, startPeriodMs: 1_000 };
  const after = (...outcomes: readonly (readonly [at: number, exitCode: number | undefined])[]): Health =>
    outcomes.reduce<Health>(
      (before, [checkedAt, exitCode]) => checkedHealth(before, check, { startedAt: 0, checkedAt, exitCode }),
      unchecked,
    );

  it('is starting until a check succeeds, or enough of them fail after the start period', () => {
    expect(after([10, 1], [500, undefined])).toEqual({ status: 'starting', failures: 0, checkedAt: 500 });
    expect(after([10, 1], [1_000, 1])).toEqual({ status: 'starting', failures: 1, checkedAt: 1_000, exitCode: 1 });
    expect(after([1_000, 1], [1_100, 7])).toMatchObject({ status: 'unhealthy', failures: 2, exitCode: 7 });
    expect(after([10, 0])).toEqual({ status: 'healthy', failures: 0, checkedAt: 10, exitCode: 0 });
  });

  it('is lost by so many failures in a row, also in the start period, and found again by one success', () => {
    expect(after([10, 0], [20, 1])).toMatchObject({ status: 'healthy', failures: 1 });
    expect(after([10, 0], [20, 1], [30, 0], [40, 1])).toMatchObject({ status: 'healthy', failures: 1 });
    expect(after([10, 0], [20, 1], [30, undefined])).toMatchObject({ status: 'unhealthy', failures: 2 });
    expect(after([10, 0], [20, 1], [30, 1], [40, 0])).toMatchObject({ status: 'healthy', failures: 0 });
  });
});

it('is looked after by a shell in a cgroup of the pod, more often in the start period', async () => {
  const host = createFakeHost({ statusOf: () => 0 });
  const check = { ...defaults, command: ['x'], startPeriodMs: 12_000 };
  await watchHealth(host, { podId: 'id', app: 'web', check, command: ['/usr/bin/rkt', 'health', 'id'] });
  const [spawned] = host.operations;
  expect(spawned).toMatchObject({
    kind: 'spawn',
    request: { file: '/usr/bin/within', detached: true, stdio: ['ignore', 'ignore', 'pipe'] },
  });
  const args = spawned?.kind === 'spawn' ? spawned.request.args : [];
  expect(args[0]).toBe('rkt/id/health.web');
  expect(args.slice(-6)).toEqual(['3', '5', '30', '/usr/bin/rkt', 'health', 'id']);
});
