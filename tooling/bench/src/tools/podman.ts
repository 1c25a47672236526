// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { diskBytes, emptyDirectory } from '../arena/disk.ts';
import type { Network, Tool } from './tool.ts';

const networks: Readonly<Record<Network, string>> = { host: 'host', none: 'none', default: 'podman' };

/** podman on runc and cgroupfs, with rlimits that need no capability the machine may lack. */
export function podmanTool(arena: string): Tool {
  const dir = join(arena, 'podman');
  const runroot = join(arena, 'podman-run');
  const config = join(arena, 'containers.conf');
  mkdirSync(arena, { recursive: true });
  writeFileSync(
    config,
    [
      '[containers]',
      'default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]',
      '[engine]',
      'cgroup_manager = "cgroupfs"',
      'events_logger = "none"',
      'runtime = "runc"',
      '',
    ].join('\n'),
  );
  const podman = ['podman', '--root', dir, '--runroot', runroot];
  const pull = (image: string) => [[...podman, 'pull', '-q', '--tls-verify=false', `docker://${image}`]];
  return {
    name: 'podman',
    env: { ...process.env, CONTAINERS_CONF: config },
    hasDaemon: false,
    reset: () => {
      emptyDirectory(dir);
      emptyDirectory(runroot);
    },
    pull,
    refresh: pull,
    run: (image, network) => [
      [...podman, 'run', '--rm', '--network', networks[network], '--entrypoint', '/bin/true', image],
    ],
    disk: () => diskBytes(dir),
    close: () => {},
  };
}
