// SPDX-License-Identifier: Apache-2.0
import { directory, file, symlink, writeTar } from '../layer.ts';
import type { ImageRecipe } from '../layout.ts';
import { debianBase, packagesLayer } from './base.ts';

const site = `server {
  listen 80 default_server;
  listen [::]:80 default_server;
  root /usr/share/nginx/html;
  location / { index index.html; }
}
`;

const page = `<!doctype html>
<title>nginx in a pod</title>
<p>Served by nginx from Debian, in a pod of rkt.</p>
`;

/** nginx from Debian's packages, logging to its standard streams, stopped by SIGQUIT. */
export async function nginxImage(cacheDir: string): Promise<ImageRecipe> {
  const base = await debianBase(['nginx'], cacheDir);
  return {
    layers: [
      base.layer,
      await packagesLayer(base, ['nginx'], base.packages),
      {
        tar: await writeTar([
          file('etc/nginx/conf.d/default.conf', site),
          file('usr/share/nginx/html/index.html', page),
          directory('var/log/nginx'),
          symlink('var/log/nginx/access.log', '/dev/stdout'),
          symlink('var/log/nginx/error.log', '/dev/stderr'),
        ]),
        comment: 'site',
      },
    ],
    config: {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      Cmd: ['nginx', '-g', 'daemon off;'],
      ExposedPorts: { '80/tcp': {} },
      StopSignal: 'SIGQUIT',
    },
  };
}
