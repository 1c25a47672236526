// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { diskBytes, emptyDirectory } from '../arena/disk.ts';
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
  let daemon: ChildProcess | undefined;
  let runs = 0;
  const ctr = ['ctr', '--address', socket];
  const stop = () => {
    daemon?.kill('SIGTERM');
    if (daemon?.pid !== undefined) execFileSync('tail', ['--pid', `${daemon.pid}`, '-f', '/dev/null']);
    daemon = undefined;
  };
  const start = () => {
    daemon = spawn('containerd', ['--config', config], { stdio: 'ignore' });
    const wait = `for i in $(seq 100); do ctr --address ${socket} version >/dev/null 2>&1 && exit 0; sleep 0.1; done; exit 1`;
    execFileSync('sh', ['-c', wait]);
  };
  start();
  return {
    name: 'ctr',
    env: process.env,
    reset: () => {
      stop();
      emptyDirectory(dir);
      emptyDirectory(state);
      start();
    },
    pull: (image) => [[...ctr, 'image', 'pull', '--plain-http', image]],
    run: (image, network) => {
      if (network === 'default') return undefined;
      const net = network === 'host' ? ['--net-host'] : [];
      return [[...ctr, 'run', '--rm', ...net, image, `bench-${++runs}`, '/bin/true']];
    },
    tidy: () => {},
    disk: () => diskBytes(dir),
    close: stop,
  };
}
