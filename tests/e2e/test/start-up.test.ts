// SPDX-License-Identifier: Apache-2.0
import { startTestRegistry } from '@rkt/registry/testing';
import { composeImage } from '@rkt/tooling-images';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cpuTime } from '../src/cpu-time.ts';
import { imageCache } from '../src/image-cache.ts';
import { executable, type Installation, installation } from '../src/rkt.ts';

/** So many at most; and at least a few, for the figures that are shown. */
const RUNS = { most: 20, least: 4 };
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

/** The least that any of the runs took: the others were disturbed. No more are made once one took no more than `enough`. */
function least(what: string, command: readonly string[], enough = 0): number {
  const times: number[] = [];
  while (times.length < RUNS.most && (times.length < RUNS.least || Math.min(...times) > enough)) {
    times.push(cpuTime(command));
  }
  times.sort((a, b) => a - b);
  const [first = Number.NaN] = times;
  console.log(`${what}: CPU ms least ${first}, median ${times[times.length >> 1]}, most ${times.at(-1)}`);
  return first;
}

function commandOf(args: readonly string[]): readonly string[] {
  const globals = [`--dir=${host.dataDir}`, `--local-config=${host.configDir}`];
  // What a shell asks for comes first, and then the command line as it is.
  return args[0] === '--complete'
    ? [executable, '--complete', ...globals, ...args.slice(1)]
    : [executable, ...globals, ...args];
}

/**
 * Milliseconds say as much about the machine as about rkt, so the limits are in starts of Node itself, in the same minute. That
 * takes 20 to 25 ms where the targets of 60 and 80 ms were set; what is evaluated for nothing shows on every machine.
 */
describe('a start takes no more CPU than so many of Node itself', () => {
  let node: number;
  beforeAll(() => {
    node = least('node', [process.execPath, '--eval', '0']);
  });

  it.each([
    [['version'], 3],
    [['help'], 4],
    [['help', 'run'], 4],
    [['list'], 4],
    [['image', 'list'], 4],
    [['--complete', 'image', 'rm', ''], 4],
    [['--complete', 'run-'], 4],
  ] as const)('%j: %i', (args, limit) => {
    const enough = limit * node;
    expect(least(`rkt ${args.join(' ')}`, commandOf(args), enough)).toBeLessThanOrEqual(enough);
  });
});
