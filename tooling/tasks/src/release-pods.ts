// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { capture, run } from './command.ts';

interface ListedPod {
  readonly name: string;
  readonly state: string;
}

/** One whose monitor was killed has apps that run all the same. */
function isLive({ state }: ListedPod): boolean {
  return state === 'running' || state === 'orphaned';
}

/** Stops every pod of a data directory and has its records collected, so that the directory may be deleted. */
export async function releasePods(rkt: string, dataDir: string): Promise<void> {
  const command = [rkt, `--dir=${dataDir}`];
  const pods: readonly ListedPod[] = JSON.parse(await capture([...command, 'list', '--format=json'])) ?? [];
  for (const { name } of pods.filter(isLive)) {
    await run([...command, 'stop', '--force', name]);
  }
  await run([...command, 'gc', '--grace-period=0s', '--expire-prepared=0s']);
}

/** Data directories that tests which were ended by force left below their temporary directory. */
export function dataDirsBelow(temporary: string): readonly string[] {
  return readdirSync(temporary)
    .flatMap((name) => [join(temporary, name), join(temporary, name, 'data')])
    .filter((dir) => existsSync(join(dir, 'pods', 'run')));
}
