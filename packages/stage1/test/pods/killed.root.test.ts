// SPDX-License-Identifier: Apache-2.0
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isLive, type Runtime, type SandboxSpec } from '../../src/index.ts';
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

beforeAll(async () => {
  for (const network of ['default', 'default-restricted']) {
    const bench = createPodBench();
    const lane = { bench, runtime: await bench.runtime(), network };
    // What the first pod with a network makes once and for all is not to be counted as left behind.
    await lane.runtime.remove(await exited(lane));
    lanes.push(lane);
  }
});
afterAll(() => {
  for (const { bench } of lanes) bench.remove();
});

/** Rules of packet filters that name our pods, which plugins have each rule do. Other pods of the host may run at the same time. */
function rules(): readonly string[] {
  const ids = lanes.flatMap(({ bench }) => bench.ids);
  return ['iptables-save', 'ip6tables-save'].flatMap((command) => {
    const { stdout } = spawnSync(command, { encoding: 'utf8' });
    return stdout.split('\n').filter((line) => ids.some((id) => line.includes(id)));
  });
}

interface Outcome {
  /** Before which there was a victim, when nothing was killed. */
  readonly eligible: readonly number[];
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
  if (signal === 'SIGKILL') return { eligible: [], killed: 1, what: undefined };
  if (!child.stdout.readableEnded) await once(child.stdout, 'end');
  const [, killed, eligible, what] = /(\d+) ([\d,]*) (.*)\n$/.exec(text) ?? [];
  if (status !== 0 || eligible === undefined) throw new Error(`${work} ended with status ${status}, saying "${text}"`);
  return { eligible: eligible.split(',').filter(Boolean).map(Number), killed: Number(killed), what };
}

const looping = 'trap "exit 3" TERM; while :; do sleep 0.05; done';

async function prepared(
  { bench, runtime, network }: Lane,
  script: string,
  sandbox: Partial<SandboxSpec> = {},
): Promise<string> {
  return (await bench.prepare(runtime, script, { sandbox: { networks: [{ name: network }], ...sandbox } })).id;
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

/** Networks are what other works are killed in. */
const sharedPids = { pid: 'pod', networks: [{ name: 'none' }] } as const;

/** What there is to be before a work. */
const beginnings = {
  prepare: async () => '',
  run: (lane: Lane) => prepared(lane, 'true'),
  'run with a PID namespace of the pod': (lane: Lane) => prepared(lane, '(sleep 100 &)', sharedPids),
  detach: (lane: Lane) => prepared(lane, looping),
  stop: detached,
  gc: exited,
};
type Work = keyof typeof beginnings;

/** What runs is stopped; everything else gc has to find. */
async function clearUp({ runtime }: Lane): Promise<void> {
  for (const { id, state } of await runtime.list()) {
    if (isLive({ state })) await runtime.stopSandbox(id, { force: true });
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

/** Kills before so many steps of a work, from its first to its last. @returns how many processes were killed */
async function killThroughout(work: Work, victim: string, kills: number): Promise<number> {
  const [first] = lanes;
  if (first === undefined) throw new Error('there are two lanes');
  const begin = beginnings[work];
  const undisturbed = { work, victim, step: 0 };
  const { eligible, what } = await workKilled(first, undisturbed, await begin(first));
  expect(what).toBe('done');
  await expectClean(first, undisturbed);
  const left = spread(eligible, kills);
  let killed = 0;
  await Promise.all(
    lanes.map(async (lane) => {
      for (let step = left.pop(); step !== undefined; step = left.pop()) {
        const kill = { work, victim, step };
        const outcome = await workKilled(lane, kill, await begin(lane));
        killed += outcome.killed;
        await expectClean(lane, kill);
      }
    }),
  );
  expect(rules()).toEqual([]);
  return killed;
}

/** So many of the steps, evenly, the first and the last among them. */
function spread(steps: readonly number[], count: number): number[] {
  if (steps.length <= count) return [...steps];
  const at = (index: number): number => Math.round((index * (steps.length - 1)) / (count - 1));
  return Array.from({ length: count }, (_, index) => steps[at(index)] ?? 0);
}

/** The last column says how many kills are tried; before every step, as many as there are, it takes six minutes. */
it.each<[Work, string, number]>([
  ['prepare', 'rkt', 8],
  ['run', 'rkt', 14],
  ['run with a PID namespace of the pod', 'rkt', 6],
  ['detach', 'rkt', 12],
  ['stop', 'rkt', 10],
  ['gc', 'rkt', 8],
  ['run', 'runtime', 4],
  ['detach', 'monitor', 4],
  ['stop', 'monitor', 4],
])(
  '%s leaves nothing that gc does not find when %s is killed, whenever that is',
  async (work, victim, kills) => {
    let killed = 0;
    // A process may be faster than whoever is to kill it, on a busy machine every time.
    for (let round = 0; killed === 0 && round < 3; round += 1) killed = await killThroughout(work, victim, kills);
    expect(killed).toBeGreaterThan(0);
  },
  120_000,
);
