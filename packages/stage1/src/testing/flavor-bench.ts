// SPDX-License-Identifier: Apache-2.0
import { rejects } from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import type { App, PodManifest, RuntimeApp, Volume } from '@rkt/appc';
import { createRuntime } from '../create-runtime.ts';
import type { Stage1ErrorCode } from '../error.ts';
import type { Flavor } from '../flavors/flavor.ts';
import { createHost, type Host } from '../host/index.ts';
import type { PodId, RunningApp, Runtime, SandboxSpec, StdioMode } from '../runtime.ts';
import type { FlavorContractOptions } from './flavor-contract.ts';

/** An app whose script is the interesting part. */
export interface SampleApp {
  readonly script: string;
  readonly app?: Partial<App>;
  readonly runtimeApp?: Partial<RuntimeApp>;
  readonly volumes?: readonly Volume[];
}

/** A data directory of a check's own, pods on it, and a directory of the host that apps see as /out. */
export interface FlavorBench extends AsyncDisposable {
  readonly flavor: Flavor;
  readonly host: Host;
  readonly runtime: Runtime;
  readonly dataDir: string;
  readonly out: string;
  /** Prepares pods without running them. */
  prepare(...apps: readonly SampleApp[]): Promise<PodId>;
  /** The same of one that asks for something. */
  prepareAs(spec: Partial<SandboxSpec>, ...apps: readonly SampleApp[]): Promise<PodId>;
  /** Prepares a pod of one app and starts it. */
  start(app: SampleApp, stdio?: StdioMode): Promise<{ readonly id: PodId; readonly app: RunningApp }>;
  /** From the beginning of a pod to its end. @returns the status of its app */
  run(app: SampleApp): Promise<number>;
  /** What an app has written below /out. */
  read(name: string): string;
}

/** A sentence and its check. */
export type FlavorCheck = readonly [name: string, check: (bench: FlavorBench) => Promise<void>];

export async function openFlavorBench({ open, scratch, rootfs }: FlavorContractOptions): Promise<FlavorBench> {
  const base = mkdtempSync(join(scratch, 'rkt-flavor-'));
  const dataDir = join(base, 'data');
  const out = join(base, 'out');
  mkdirSync(out);
  chmodSync(out, 0o777);
  const { flavor, host = createHost() } = open(dataDir);
  const runtime = await createRuntime({ dataDir, configDirs: [], flavors: [flavor], host });
  const ids: PodId[] = [];
  const bench: FlavorBench = {
    ...{ flavor, host, runtime, dataDir, out },
    prepare: (...apps) => bench.prepareAs({}, ...apps),
    prepareAs: async (spec, ...apps) => {
      const manifest = manifestOf(apps, out);
      const sources = manifest.apps.map(({ name }) => [name, { type: 'directory', path: rootfs ?? base }] as const);
      const networks = [{ name: flavor.traits.namespaces.includes('net') ? 'none' : 'host' }];
      const sandbox = { flavor: flavor.name, networks, ...spec };
      const { id } = await runtime.prepare({ manifest, rootfs: Object.fromEntries(sources), sandbox });
      ids.push(id);
      return id;
    },
    start: async (sample, stdio = 'inherit') => {
      const id = await bench.prepare(sample);
      await runtime.createSandbox(id);
      await runtime.addApp(id, 'app0');
      return { id, app: await runtime.startApp(id, 'app0', { stdio }) };
    },
    run: async (sample) => {
      const { id, app } = await bench.start(sample);
      const status = await app.wait();
      await runtime.stopSandbox(id);
      return status;
    },
    read: (name) => readFileSync(join(out, name), 'utf8'),
    [Symbol.asyncDispose]: async () => {
      for (const id of ids) await runtime.stopSandbox(id, { force: true });
      rmSync(base, { recursive: true });
    },
  };
  return bench;
}

function manifestOf(samples: readonly SampleApp[], out: string): PodManifest {
  const apps = samples.map(({ script, app, runtimeApp }, index): RuntimeApp => {
    const mounts = [{ volume: 'out', path: '/out' }, ...(runtimeApp?.mounts ?? [])];
    const section = { exec: ['/bin/sh', '-c', script], user: '0', group: '0', ...app };
    return { name: `app${index}`, image: { id: 'sha512-0' }, app: section, ...runtimeApp, mounts };
  });
  const volumes = [
    { name: 'out', kind: 'host' as const, source: out },
    ...samples.flatMap((each) => each.volumes ?? []),
  ];
  return { acVersion: '0.8.11', acKind: 'PodManifest', apps, volumes };
}

/** That something is refused with a code. */
export async function refused(code: Stage1ErrorCode, work: Promise<unknown>): Promise<void> {
  await rejects(work, { name: 'Stage1Error', code });
}

/** Command lines of the host's processes, which have not ended, that contain a text. */
export function processesWith(text: string): readonly string[] {
  return processIds().flatMap((pid) => {
    const command = tryTo(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '));
    return command?.includes(text) ? [command] : [];
  });
}

/** Pids of those that have a file open, but for this one. */
export function holdersOf(path: string): readonly number[] {
  return processIds().filter((pid) => {
    const descriptors = pid === process.pid ? [] : (tryTo(() => readdirSync(`/proc/${pid}/fd`)) ?? []);
    return descriptors.some((fd) => tryTo(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) === path);
  });
}

function processIds(): readonly number[] {
  if (!existsSync('/proc')) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Processes end while they are looked at. */
function tryTo<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
