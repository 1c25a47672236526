// SPDX-License-Identifier: Apache-2.0
import type { App, PodManifest, RuntimeApp } from '@rkt/appc';
import type { Pod, RunningApp, Runtime, SandboxSpec } from '../../src/index.ts';
import type { PodBench } from './bench.ts';

export interface PairOptions {
  readonly apps?: readonly Partial<App>[];
  readonly sandbox?: Partial<SandboxSpec>;
}

/** A prepared pod of two apps, each with a script; both see /out, and `shared` as /shared. */
export async function preparePair(
  { bench, runtime }: { readonly bench: PodBench; readonly runtime: Runtime },
  [one, two]: readonly [string, string],
  { apps = [], sandbox }: PairOptions = {},
): Promise<Pod> {
  const app = (name: string, script: string, more: Partial<App> = {}): RuntimeApp => ({
    name,
    image: { id: 'sha512-0' },
    app: { exec: ['/bin/sh', '-c', script], user: '0', group: '0', ...more },
    mounts: [
      { volume: 'out', path: '/out' },
      { volume: 'shared', path: '/shared' },
    ],
  });
  const manifest: PodManifest = {
    acVersion: '0.8.11',
    acKind: 'PodManifest',
    apps: [app('one', one, apps[0]), app('two', two, apps[1])],
    volumes: [
      { name: 'out', kind: 'host', source: bench.out },
      { name: 'shared', kind: 'empty', mode: '0777' },
    ],
  };
  const rootfs = {
    one: { type: 'directory', path: bench.image },
    two: { type: 'directory', path: bench.image },
  } as const;
  const pod = await runtime.prepare({ manifest, rootfs, sandbox: { networks: [{ name: 'none' }], ...sandbox } });
  bench.ids.push(pod.id);
  return pod;
}

export async function startBoth(
  runtime: Runtime,
  id: string,
): Promise<{ readonly one: RunningApp; readonly two: RunningApp }> {
  await runtime.createSandbox(id);
  for (const name of ['one', 'two']) await runtime.addApp(id, name);
  const one = await runtime.startApp(id, 'one', { stdio: 'inherit' });
  return { one, two: await runtime.startApp(id, 'two', { stdio: 'inherit' }) };
}
