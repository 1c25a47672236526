// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';

/** Where things of one app lie, relative to its pod's directory. */
export interface AppPaths {
  readonly base: string;
  readonly bundle: string;
  readonly rootfs: string;
  readonly lower: string;
  readonly upper: string;
  readonly work: string;
  /** Bind mounts of host volumes, one entry each. */
  readonly volumes: string;
}

export function appPaths(app: string): AppPaths {
  const base = join('apps', app);
  return {
    base,
    bundle: join(base, 'bundle'),
    rootfs: join(base, 'bundle', 'rootfs'),
    lower: join(base, 'lower'),
    upper: join('overlay', app, 'upper'),
    work: join('overlay', app, 'work'),
    volumes: join(base, 'volumes'),
  };
}
