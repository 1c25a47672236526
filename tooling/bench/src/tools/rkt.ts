// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { diskBytes, emptyDirectory } from '../arena/disk.ts';
import type { Tool } from './tool.ts';

export function rktTool(executable: string, arena: string): Tool {
  const dir = join(arena, 'rkt');
  const rkt = [executable, `--dir=${dir}`, '--insecure-options=image'];
  const pull = (image: string) => [[...rkt, 'fetch', `docker://${image}`]];
  return {
    name: 'rkt',
    env: process.env,
    hasDaemon: false,
    reset: () => emptyDirectory(dir),
    pull,
    refresh: pull,
    run: (image, network) => [[...rkt, 'run', '--rm', `--net=${network}`, `docker://${image}`, '--exec', '/bin/true']],
    disk: () => diskBytes(join(dir, 'cas')),
    close: () => {},
  };
}
