// SPDX-License-Identifier: Apache-2.0
import { startTestRegistry } from '@rkt/registry/testing';
import { composeImage } from '@rkt/tooling-images';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cpuTime } from '../src/cpu-time.ts';
import { imageCache } from '../src/image-cache.ts';
import { executable, type Installation, installation } from '../src/rkt.ts';

const RUNS = 20;
let host: Installation;

beforeAll(async () => {
  host = installation();
  const registry = await startTestRegistry();
  await registry.addLayout(await composeImage('redis', imageCache), { repository: 'redis', tag: 'latest' });
  const fetched = await host.rkt([
    '--insecure-options=image',
    'fetch',
    `docker://${new URL(registry.origin).host}/redis`,
  ]);
  await registry.close();
  expect(fetched.status).toBe(0);
  const prepared = await host.rkt(['prepare', fetched.stdout.trim()]);
  expect(prepared.status).toBe(0);
});
afterAll(() => host[Symbol.asyncDispose]());

/** The least that any run took: the others were disturbed. */
function least(args: readonly string[]): number {
  const globals = [`--dir=${host.dataDir}`, `--local-config=${host.configDir}`];
  // What a shell asks for comes first, and then the command line as it is.
  const command =
    args[0] === '--complete'
      ? [executable, '--complete', ...globals, ...args.slice(1)]
      : [executable, ...globals, ...args];
  const times = Array.from({ length: RUNS }, () => cpuTime(command)).sort((a, b) => a - b);
  console.log(`rkt ${args.join(' ')}: CPU ms least ${times[0]}, median ${times[RUNS / 2]}, most ${times.at(-1)}`);
  return times[0] ?? Number.NaN;
}

describe('a start takes no more CPU than', () => {
  it.each([
    [['version'], 60],
    [['help'], 80],
    [['help', 'run'], 80],
    [['list'], 80],
    [['image', 'list'], 80],
    [['--complete', 'image', 'rm', ''], 80],
    [['--complete', 'run-'], 80],
  ] as const)('%j: %i ms', (args, limit) => {
    expect(least(args)).toBeLessThanOrEqual(limit);
  });
});
