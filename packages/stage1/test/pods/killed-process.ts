// SPDX-License-Identifier: Apache-2.0
// Does a piece of work on pods, during which something is killed: `killed-process.ts DATA_DIR WORK STEP VICTIM [POD_ID [RUNTIME]]`.
// A step is whatever this process does that outlives it: a change of a file, a lock, a process, a signal. Before step STEP,
// VICTIM is killed: `rkt`, which is this process, `monitor` or `runtime`; before step 0 nothing is. Writes `KILLED STEPS OUTCOME`
// when the work is over: how many processes, and, with commas, before which steps there was a victim.
import childProcess from 'node:child_process';
import fs, { readdirSync, readFileSync, writeSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const [dataDir = '', work = '', lastStep = '', victim = '', podId = '', runtimePath] = process.argv.slice(2);
const kill = process.kill.bind(process);
/** With a victim to be killed before them; looked for when nothing is killed. */
const eligible: number[] = [];
let steps = 0;
let killed = 0;

function step(): void {
  steps += 1;
  if (lastStep === '0' && victims().length > 0) eligible.push(steps);
  if (steps !== Number(lastStep)) return;
  for (const pid of victims()) {
    killed += 1;
    kill(pid, 'SIGKILL');
  }
}

function victims(): readonly number[] {
  if (victim === 'rkt') return [process.pid];
  const names: readonly string[] = victim === 'monitor' ? ['conmon'] : ['crun', 'runc'];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      const command = commandOf(pid);
      return command.includes(dataDir) && names.some((name) => command.split(' ')[0]?.endsWith(`/${name}`));
    })
    .map(Number);
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** Makes a step of each of these functions of an object. */
function count(object: object, names: readonly string[]): void {
  for (const name of names) {
    const original: unknown = Reflect.get(object, name);
    if (typeof original !== 'function') throw new Error(`${name} is no function`);
    Reflect.set(object, name, (...values: readonly unknown[]): unknown => {
      step();
      return Reflect.apply(original, object, values);
    });
  }
}

count(fs, [
  'mkdirSync',
  'mkdtempSync',
  'renameSync',
  'rmSync',
  'rmdirSync',
  'symlinkSync',
  'unlinkSync',
  'writeFileSync',
]);
count(fs, ['writeSync', 'chownSync']);
count(childProcess, ['spawn']);
count(process, ['kill']);
syncBuiltinESMExports();

const { createHost, createRuntime } = await import('../../src/index.ts');
const { podManifest } = await import('./bench.ts');
const host = createHost();
const { syscalls } = await host.kernel();
count(syscalls, ['flock']);
const runtime = await createRuntime({ dataDir, configDirs: [], host, ...(runtimePath && { runtimePath }) });

const onExit = [
  process.execPath,
  ...process.execArgv,
  new URL('./release-process.ts', import.meta.url).pathname,
  dataDir,
];

/** As the command line does it: a failure is told when what had been made is undone. */
async function start(monitored: boolean): Promise<number> {
  await runtime.createSandbox(podId);
  try {
    await runtime.addApp(podId, 'app');
    const monitor = { onExit: [...onExit, podId] };
    const app = await runtime.startApp(podId, 'app', { stdio: 'inherit', ...(monitored && { monitor }) });
    if (monitored) await runtime.detach(podId, { keepSandbox: true });
    return monitored ? 0 : await app.wait();
  } catch (error) {
    await runtime.stopSandbox(podId, { force: true });
    throw error;
  }
}

async function run(): Promise<void> {
  await start(false);
  await runtime.stopSandbox(podId);
  await runtime.remove(podId);
}

const works: Readonly<Record<string, () => Promise<unknown>>> = {
  prepare: () =>
    runtime.prepare({
      manifest: podManifest('true', dataDir),
      rootfs: { app: { type: 'directory', path: '/' } },
      sandbox: { networks: [{ name: 'none' }] },
    }),
  run,
  'run with a PID namespace of the pod': run,
  detach: () => start(true),
  stop: () => runtime.stopSandbox(podId),
  gc: async () => {
    for await (const _ of runtime.gc({ graceMs: 0, expirePreparedMs: 0 }));
  },
};

let outcome = 'done';
try {
  await works[work]?.();
} catch (error) {
  outcome = error instanceof Error ? error.message : String(error);
}
writeSync(1, `${killed} ${eligible.join(',')} ${outcome}\n`);
