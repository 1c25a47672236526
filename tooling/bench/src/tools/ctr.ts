// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { diskBytes } from '../arena/disk.ts';
import type { Tool } from './tool.ts';

/** containerd's own client, with a containerd of the bench. */
export function ctrTool(arena: string): Tool {
  const dir = join(arena, 'containerd');
  const state = join(arena, 'containerd-state');
  const socket = join(arena, 'containerd.sock');
  const config = join(arena, 'containerd.toml');
  mkdirSync(arena, { recursive: true });
  writeFileSync(
    config,
    `version = 2\nroot = "${dir}"\nstate = "${state}"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\naddress = "${socket}"\n`,
  );
  let runs = 0;
  const ctr = ['ctr', '--address', socket];
  // It ends with the bench, also when that is killed.
  const command = ['--pdeathsig', 'TERM', 'containerd', '--config', config];
  const daemon = spawn('setpriv', command, { stdio: 'ignore' });
  const wait = `for i in $(seq 100); do ctr --address ${socket} version >/dev/null 2>&1 && exit 0; sleep 0.1; done; exit 1`;
  try {
    execFileSync('sh', ['-c', wait]);
  } catch (error) {
    daemon.kill('SIGTERM');
    throw error;
  }
  const pull = (image: string) => [[...ctr, 'image', 'pull', '--plain-http', image]];
  return {
    name: 'ctr',
    env: process.env,
    hasDaemon: true,
    // The daemon stays, as everywhere: it is its images, their content and snapshots that go.
    reset: () => {
      const images = execFileSync('ctr', [...ctr.slice(1), 'image', 'ls', '-q'], { encoding: 'utf8' });
      const names = images.split('\n').filter((name) => name !== '');
      if (names.length > 0)
        execFileSync('ctr', [...ctr.slice(1), 'image', 'rm', '--sync', ...names], { stdio: 'ignore' });
    },
    pull,
    refresh: pull,
    run: (image, network) => {
      if (network === 'default') return undefined;
      const net = network === 'host' ? ['--net-host'] : [];
      return [[...ctr, 'run', '--rm', ...net, image, `bench-${++runs}`, '/bin/true']];
    },
    disk: () => diskBytes(dir),
    close: () => daemon.kill('SIGTERM'),
  };
}
