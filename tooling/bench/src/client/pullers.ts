// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { emptyDirectory } from '../arena/disk.ts';
import type { Puller } from '../tools/tool.ts';

const program = fileURLToPath(new URL('./pull.mjs', import.meta.url));

/** The compiled package in a program of its own, as another project would use it. */
export function registryPackage(): Puller {
  return {
    name: '@rkt/registry',
    env: process.env,
    hasDaemon: false,
    reset: () => {},
    pull: (image) => [[process.execPath, program, image]],
  };
}

/** What verifies blobs and writes them to a directory as they are. */
export function skopeoDirectory(arena: string): Puller {
  const dir = join(arena, 'skopeo-dir');
  return {
    name: 'skopeo copy',
    env: process.env,
    hasDaemon: false,
    reset: () => emptyDirectory(dir),
    pull: (image) => [['skopeo', 'copy', '-q', '--src-tls-verify=false', `docker://${image}`, `dir:${dir}`]],
  };
}

/** The least that can be done: receive and hash, one blob after the other. `blobs` gives the digests of an image. */
export function curlOpenssl(blobs: (image: string) => readonly string[]): Puller {
  return {
    name: 'curl + openssl',
    env: process.env,
    hasDaemon: false,
    reset: () => {},
    pull: (image) => [
      [
        'sh',
        '-euc',
        blobs(image)
          .map((digest) => receiveAndHash(image, digest))
          .join('\n'),
      ],
    ],
  };
}

function receiveAndHash(image: string, digest: string): string {
  const [host = '', name = ''] = image.replace(/:latest$/, '').split('/');
  const hash = `curl -sSf http://${host}/v2/${name}/blobs/${digest} | openssl dgst -sha256`;
  return `test "$(${hash} | sed 's/.* //')" = ${digest.slice('sha256:'.length)}`;
}
