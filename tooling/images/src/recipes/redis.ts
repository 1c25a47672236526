// SPDX-License-Identifier: Apache-2.0
import { closureOf } from '../debian.ts';
import { directory, file, whiteout, writeTar } from '../layer.ts';
import type { ImageRecipe } from '../layout.ts';
import { debianBase, packagesLayer, withUser } from './base.ts';

const user = { name: 'redis', id: 999, home: '/data' };
const programs = ['redis-server', 'redis-tools'];

const entrypoint = `#!/bin/sh
# Starts the server unprivileged: root only takes over the data volume.
set -e
case "$1" in
  -*|*.conf) set -- redis-server "$@" ;;
esac
if [ "$1" = redis-server ] && [ "$(id -u)" = 0 ]; then
  find . \\! -user redis -exec chown redis:redis {} +
  exec setpriv --reuid=redis --regid=redis --clear-groups -- "$0" "$@"
fi
exec "$@"
`;

/** redis from Debian's packages, shaped as Docker Hub's: seven layers, an entrypoint that drops to user `redis`, a data volume. */
export async function redisImage(cacheDir: string): Promise<ImageRecipe> {
  const base = await debianBase(programs, cacheDir);
  const needed = closureOf(base.archive, programs);
  const libraries = [...needed].filter((name) => !programs.includes(name));
  const belowPrograms = new Set([...base.packages, ...needed].filter((name) => !programs.includes(name)));
  const { passwd, group } = withUser(base, user);
  return {
    layers: [
      base.layer,
      { tar: await writeTar([file('etc/passwd', passwd), file('etc/group', group)]), comment: 'user redis' },
      await packagesLayer(base, libraries, base.packages),
      await packagesLayer(base, programs, belowPrograms),
      {
        tar: await writeTar([whiteout('usr/share/doc'), whiteout('usr/share/man'), whiteout('etc/init.d')]),
        comment: 'no documentation',
      },
      { tar: await writeTar([directory('data', { uid: user.id, gid: user.id })]), comment: 'data directory' },
      {
        tar: await writeTar([file('usr/local/bin/docker-entrypoint.sh', entrypoint, 0o755)]),
        comment: 'entrypoint',
      },
    ],
    config: {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'REDIS_VERSION=7.0'],
      Entrypoint: ['docker-entrypoint.sh'],
      Cmd: ['redis-server', '--protected-mode', 'no'],
      ExposedPorts: { '6379/tcp': {} },
      Volumes: { '/data': {} },
      WorkingDir: '/data',
    },
  };
}
