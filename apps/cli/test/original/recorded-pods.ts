// SPDX-License-Identifier: Apache-2.0
import type { ImageId, PodManifest } from '@rkt/appc';
import type { Pod } from '@rkt/stage1';
import type { ImageRecord, Store } from '@rkt/store';
import { fakePod } from '../support/fake-runtime.ts';
import { recordedCase } from './recorded.ts';

/** A pod as the original printed it. */
interface PrintedPod {
  readonly name: string;
  readonly state: Pod['state'];
  readonly apps: readonly {
    readonly name: string;
    readonly state: 'running' | 'exited';
    readonly created_at: number;
    readonly started_at?: number;
    readonly image_id: ImageId;
    readonly mounts?: readonly { name: string; container_path: string; host_path: string; read_only: boolean }[];
  }[];
  readonly created_at: number;
  readonly started_at?: number;
}

/** The pods that the original listed, as the runtime would give them. `pid` is that of its running pod. */
export function recordedPods(): readonly Pod[] {
  const printed: readonly PrintedPod[] = JSON.parse(recordedCase('rkt/list-jsonpretty').stdout);
  const names = new Map(
    recordedCase('rkt/list-full')
      .stdout.split('\n')
      .map((line) => line.split(/\t+/))
      .map(([id = '', , image = '']) => [id, image]),
  );
  return printed.map((pod) => podOf(pod, names.get(pod.name) ?? ''));
}

function podOf({ name, state, apps, created_at, started_at }: PrintedPod, imageName: string): Pod {
  const [app] = apps;
  if (app === undefined) throw new TypeError(`pod ${name} was recorded without an app`);
  const mounts = app.mounts ?? [];
  const manifest: PodManifest = {
    acVersion: '0.8.11',
    acKind: 'PodManifest',
    apps: [
      {
        name: app.name,
        image: { id: app.image_id, name: imageName },
        app: { exec: ['/bin/sh'], user: '0', group: '0' },
        mounts: mounts.map((mount) => ({ volume: mount.name, path: mount.container_path })),
      },
    ],
    volumes: mounts.map((mount) => ({ name: mount.name, kind: 'host', source: mount.host_path })),
  };
  return fakePod({
    id: name,
    state,
    createdAt: milliseconds(app.created_at),
    ...(started_at === undefined ? {} : { startedAt: milliseconds(app.started_at ?? created_at) }),
    ...(state === 'running' ? { pid: 26457 } : {}),
    manifest,
    apps: [
      {
        name: app.name,
        imageId: app.image_id,
        imageName,
        state: app.state,
        createdAt: milliseconds(app.created_at),
        ...(app.started_at === undefined ? {} : { startedAt: milliseconds(app.started_at) }),
      },
    ],
  });
}

/** A store that has the images the original listed, and can do nothing but list them. */
export function recordedStore(): Store {
  const printed: readonly { id: ImageId; name: string; import_time: number; last_used_time: number; size: number }[] =
    JSON.parse(recordedCase('rkt/image-list-jsonpretty').stdout);
  const images: readonly ImageRecord[] = printed.map(({ id, name, import_time, last_used_time, size }) => ({
    id,
    name,
    names: [name],
    importedAt: milliseconds(import_time),
    lastUsedAt: milliseconds(last_used_time),
    size,
    layers: [],
    acis: [],
    platform: undefined,
  }));
  const store: Pick<Store, 'listImages' | typeof Symbol.asyncDispose> = {
    listImages: async () => images,
    [Symbol.asyncDispose]: async () => undefined,
  };
  return store as Store;
}

/** Moments here have milliseconds, those of the original nanoseconds. */
function milliseconds(nanoseconds: number): number {
  return Math.floor(nanoseconds / 1_000_000);
}
