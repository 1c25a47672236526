// SPDX-License-Identifier: Apache-2.0

import { posix } from 'node:path';
import type { PodManifest, RuntimeApp, Volume } from '@rkt/appc';
import { Stage1Error } from '../error.ts';
import { quote } from '../quote.ts';

/** A volume at its place in an app. */
export interface PlannedMount {
  /** Absolute and normalised; to be resolved inside of the root filesystem only. */
  readonly destination: string;
  readonly volume: Volume;
  readonly readOnly: boolean;
  /** File name of an `empty` volume in the pod. A dot, which no appc name has, sets ours apart from the manifest's. */
  readonly directory: string;
}

/**
 * What goes where in an app: the mounts its pod states, then the mount points of its image, by a volume of the same name
 * or else an empty one of its own. Of several for one place the first counts.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_VOLUME_NOT_FOUND
 */
export function planVolumes(manifest: PodManifest, app: RuntimeApp): readonly PlannedMount[] {
  const volumes = new Map((manifest.volumes ?? []).map((volume) => [volume.name, volume]));
  const points = app.app.mountPoints ?? [];
  const planned = new Map<string, PlannedMount>();
  const add = (
    path: string,
    volume: Volume,
    options: { readonly directory: string; readonly readOnly: boolean },
  ): void => {
    const destination = posix.resolve('/', path);
    if (!planned.has(destination)) {
      planned.set(destination, {
        ...options,
        destination,
        volume,
        readOnly: options.readOnly || volume.readOnly === true,
      });
    }
  };
  for (const { volume: name, path } of app.mounts ?? []) {
    const volume = volumes.get(name);
    if (volume === undefined) throw dangling(path, name);
    const point = points.find((candidate) => candidate.path === path);
    add(path, volume, { directory: name, readOnly: point?.readOnly ?? false });
  }
  for (const { name, path, readOnly = false } of points) {
    const volume = volumes.get(name) ?? { name, kind: 'empty' };
    add(path, volume, { directory: volumes.has(name) ? name : `${app.name}.${name}`, readOnly });
  }
  return [...planned.values()];
}

function dangling(path: string, volume: string): Stage1Error {
  const message = `dangling mount point ${quote(path)}: volume ${quote(volume)} not found`;
  return new Stage1Error('ERR_RKT_STAGE1_VOLUME_NOT_FOUND', message);
}
