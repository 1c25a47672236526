// SPDX-License-Identifier: Apache-2.0

import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { App, PodManifest, RuntimeApp } from '@rkt/appc';
import { createRuntime, type GcEvent, type Pod, type Runtime, type SandboxSpec } from '../../src/index.ts';
import { makeSmallImage } from './small-image.ts';

/** A data directory with an image, and pods on it. */
export interface PodBench {
  readonly dataDir: string;
  readonly image: string;
  /** A directory of the host that pods see as /out. */
  readonly out: string;
  readonly ids: string[];
  runtime(runtimePath?: string): Promise<Runtime>;
  prepare(runtime: Runtime, script: string, options?: PodOptions): Promise<Pod>;
  /** Prepares, runs to the end, and takes the sandbox down. */
  run(runtime: Runtime, script: string, options?: PodOptions): Promise<{ readonly pod: Pod; readonly status: number }>;
  read(name: string): string;
  remove(): void;
}

export interface PodOptions {
  readonly exec?: readonly string[];
  readonly app?: Partial<App>;
  readonly runtimeApp?: Partial<RuntimeApp>;
  readonly pod?: Partial<PodManifest>;
  readonly sandbox?: Partial<SandboxSpec>;
  readonly ephemeral?: boolean;
}

export function createPodBench(): PodBench {
  const base = mkdtempSync(join(tmpdir(), 'rkt-pods-'));
  const image = join(base, 'image');
  const out = join(base, 'out');
  const ids: string[] = [];
  mkdirSync(out);
  makeSmallImage(image);
  const dataDir = join(base, 'data');
  const bench: PodBench = {
    dataDir,
    image,
    out,
    ids,
    runtime: (runtimePath) => createRuntime({ dataDir, configDirs: [], ...(runtimePath && { runtimePath }) }),
    prepare: async (runtime, script, options = {}) => {
      const manifest = podManifest(script, out, options);
      const sandbox = { networks: [{ name: 'none' }], ...options.sandbox };
      const rootfs = { app: { type: 'directory', path: image } } as const;
      const pod = await runtime.prepare({ manifest, rootfs, sandbox, ephemeral: options.ephemeral ?? false });
      ids.push(pod.id);
      return pod;
    },
    run: async (runtime, script, options) => {
      const { id } = await bench.prepare(runtime, script, options);
      await runtime.createSandbox(id);
      try {
        await runtime.addApp(id, 'app');
        const app = await runtime.startApp(id, 'app', { stdio: 'inherit' });
        const status = await app.wait();
        return { status, pod: await runtime.inspect(id) };
      } finally {
        await runtime.stopSandbox(id);
      }
    },
    read: (name) => readFileSync(join(out, name), 'utf8'),
    remove: () => rmSync(base, { recursive: true, force: true }),
  };
  return bench;
}

/** Of one app, which sees a directory of the host as /out. */
export function podManifest(script: string, out: string, options: PodOptions = {}): PodManifest {
  const app: App = { exec: options.exec ?? ['/bin/sh', '-c', script], user: '0', group: '0', ...options.app };
  const mounts = [{ volume: 'out', path: '/out' }, ...(options.runtimeApp?.mounts ?? [])];
  const image = { id: 'sha512-0' as const };
  return {
    acVersion: '0.8.11',
    acKind: 'PodManifest',
    ...options.pod,
    apps: [{ name: 'app', image, app, ...options.runtimeApp, mounts }],
    volumes: [{ name: 'out', kind: 'host', source: out }, ...(options.pod?.volumes ?? [])],
  };
}

export async function collectAll(runtime: Runtime, options: Parameters<Runtime['gc']>[0]): Promise<readonly GcEvent[]> {
  const events: GcEvent[] = [];
  for await (const event of runtime.gc(options)) events.push(event);
  return events;
}
