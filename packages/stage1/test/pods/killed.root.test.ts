// SPDX-License-Identifier: Apache-2.0
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Runtime } from '../../src/index.ts';
import { collectAll, createPodBench, type PodBench } from './bench.ts';
import { footprint, none } from './footprint.ts';

/** Two at a time, each on a data directory of its own: what gc finds on one is nothing to the other. */
interface Lane {
  readonly bench: PodBench;
  readonly runtime: Runtime;
  /** Of its own, too: addresses are given out by data directory. */
  readonly network: string;
}

const lanes: Lane[] = [];
let before: string;

beforeAll(async () => {
  for (const network of ['default', 'default-restricted']) {
    const bench = createPodBench();
    const lane = { bench, runtime: await bench.runtime(), network };
    // What the first pod with a network makes once and for all is not to be counted as left behind.
    await lane.runtime.remove(await exited(lane));
    lanes.push(lane);
  }
  before = hostState();
});
afterAll(() => {
  for (const { bench } of lanes) bench.remove();
});

/** Links, namespaces of the network, and rules of the whole host. */
function hostState(): string {
  const commands = ['ip -o link', 'ip netns', 'iptables-save | sed "/^[#:]/d"', 'ip6tables-save | sed "/^[#:]/d"'];
  const { stdout } = spawnSync('/bin/sh', ['-c', commands.join('; ')], { encoding: 'utf8' });
  return stdout.replace(/^\d+: /gm, '').replace(/ (qdisc|qlen|state|mode|group) \S+/g, '');
}

interface Outcome {
  readonly steps: number;
  readonly killed: number;
  /** `done`, or what went wrong; undefined of a process that was killed. */
  readonly what: string | undefined;
}

interface Kill {
  readonly work: string;
  /** 0: never. */
  readonly step: number;
  readonly victim: string;
}

async function workKilled({ bench }: Lane, { work, step, victim }: Kill, id: string): Promise<Outcome> {
  const program = new URL('./killed-process.ts', import.meta.url).pathname;
  const args = [...process.execArgv, program, bench.dataDir, work, String(step), victim, id];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  const [status, signal] = await once(child, 'exit');
  if (signal === 'SIGKILL') return { steps: step, killed: 1, what: undefined };
  if (!child.stdout.readableEnded) await once(child.stdout, 'end');
  const [, steps, killed, what] = /(\d+) (\d+) (.*)\n$/.exec(text) ?? [];
  if (status !== 0 || steps === undefined) throw new Error(`${work} ended with status ${status}, saying "${text}"`);
  return { steps: Number(steps), killed: Number(killed), what };
}

const looping = 'trap "exit 3" TERM; while :; do sleep 0.05; done';

async function prepared({ bench, runtime, network }: Lane, script: string): Promise<string> {
  return (await bench.prepare(runtime, script, { sandbox: { networks: [{ name: network }] } })).id;
}

async function exited({ bench, runtime, network }: Lane): Promise<string> {
  return (await bench.run(runtime, 'true', { sandbox: { networks: [{ name: network }] } })).pod.id;
}

async function detached(lane: Lane): Promise<string> {
  const { runtime } = lane;
  const id = await prepared(lane, looping);
  await runtime.createSandbox(id);
  await runtime.addApp(id, 'app');
  await runtime.startApp(id, 'app', { stdio: 'inherit', monitor: {} });
  await runtime.detach(id, { keepSandbox: true });
  return id;
}

/** What there is to be before a work. */
const beginnings = {
  prepare: async () => '',
  run: (lane: Lane) => prepared(lane, 'true'),
  detach: (lane: Lane) => prepared(lane, looping),
  stop: detached,
  gc: exited,
};
type Work = keyof typeof beginnings;

/** What runs is stopped; everything else gc has to find. */
async function clearUp({ runtime }: Lane): Promise<void> {
  for (const { id, state } of await runtime.list()) {
    if (state === 'running') await runtime.stopSandbox(id, { force: true });
  }
  await collectAll(runtime, { graceMs: 0, expirePreparedMs: 0 });
}

async function expectClean(lane: Lane, kill: Kill): Promise<void> {
  const { bench, runtime } = lane;
  // What had been started takes a moment to see that it has nobody any more.
  const left = async (): Promise<unknown> => {
    await clearUp(lane);
    return [await runtime.list(), footprint(bench.dataDir, bench.ids)];
  };
  await expect.poll(left, { message: JSON.stringify(kill), timeout: 8_000, interval: 50 }).toEqual([[], none]);
}

/** Kills at every so many steps of a work. @returns how many processes were killed */
async function killThroughout(work: Work, victim: string, stride: number): Promise<number> {
  const [first] = lanes;
  if (first === undefined) throw new Error('there are two lanes');
  const begin = beginnings[work];
  const undisturbed = { work, victim, step: 0 };
  const { steps, what } = await workKilled(first, undisturbed, await begin(first));
  expect([what, steps > stride]).toEqual(['done', true]);
  await expectClean(first, undisturbed);
  let next = 1;
  let killed = 0;
  await Promise.all(
    lanes.map(async (lane) => {
      while (next <= steps) {
        const kill = { work, victim, step: next };
        next += stride;
        const outcome = await workKilled(lane, kill, await begin(lane));
        killed += outcome.killed;
        await expectClean(lane, kill);
      }
    }),
  );
  expect(hostState()).toBe(before);
  return killed;
}

/** The last column is the stride; with 1 everywhere, which tries every step, it takes six minutes. */
it.each<[Work, string, number]>([
  ['prepare', 'rkt', 2],
  ['run', 'rkt', 8],
  ['detach', 'rkt', 8],
  ['stop', 'rkt', 9],
  ['gc', 'rkt', 6],
  ['run', 'runtime', 3],
  ['detach', 'monitor', 9],
  ['stop', 'monitor', 9],
])(
  '%s leaves nothing that gc does not find when %s is killed, whenever that is',
  async (work, victim, stride) => {
    expect(await killThroughout(work, victim, stride)).toBeGreaterThan(0);
  },
  120_000,
);
