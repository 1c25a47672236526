// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { diskBytes, emptyDirectory } from '../arena/disk.ts';
import type { Tool } from './tool.ts';

/** The pair that does by hand what a fetch is: copy to a layout, unpack to a bundle. It runs nothing. */
export function skopeoUmociTool(arena: string): Tool {
  const dir = join(arena, 'skopeo-umoci');
  const layout = join(dir, 'layout');
  let unpacked = 0;
  const copy = (image: string) => [
    'skopeo',
    'copy',
    '-q',
    '--preserve-digests',
    '--src-tls-verify=false',
    `docker://${image}`,
    `oci:${layout}:latest`,
  ];
  return {
    name: 'skopeo+umoci',
    env: process.env,
    hasDaemon: false,
    reset: () => emptyDirectory(dir),
    pull: (image) => [
      copy(image),
      ['umoci', 'unpack', '--image', `${layout}:latest`, join(dir, `bundle-${++unpacked}`)],
    ],
    // An unchanged image needs no unpacking: that much a script around the two would know.
    refresh: (image) => [copy(image)],
    run: () => undefined,
    disk: () => diskBytes(dir),
    close: () => {},
  };
}
