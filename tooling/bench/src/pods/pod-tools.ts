// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import type { Tool } from '../tools/tool.ts';

/** A tool that keeps pods, or containers, without a daemon: what is measured beyond a single run. */
export interface PodTool {
  readonly tool: Tool;
  /** Runs `true` without a network and removes what that leaves. */
  run(image: string): readonly string[];
  /** Leaves something running that sleeps. @returns its id */
  detach(image: string): string;
  exec(id: string, command: readonly string[]): readonly string[];
  stopAll(ids: readonly string[]): void;
}

export function rktPods(tool: Tool, executable: string, dir: string): PodTool {
  const rkt = [executable, `--dir=${dir}`, '--insecure-options=image'];
  const sleeping = (image: string) => [`docker://${image}`, '--exec=/bin/sleep', '--', '600'];
  return {
    tool,
    run: (image) => [...rkt, 'run', '--rm', '--net=none', `docker://${image}`, '--exec=/bin/true'],
    detach: (image) => output(tool, [...rkt, 'run', '-d', '--net=none', ...sleeping(image)]),
    exec: (id, command) => [...rkt, 'enter', id, ...command],
    stopAll: (ids) => void output(tool, [...rkt, 'stop', '--force', ...ids]),
  };
}

export function podmanPods(tool: Tool): PodTool {
  const [pull] = tool.pull('image');
  const podman = pull?.slice(0, pull.indexOf('pull')) ?? [];
  const options = ['--network', 'none', '--entrypoint'];
  return {
    tool,
    run: (image) => [...podman, 'run', '--rm', ...options, '/bin/true', image],
    detach: (image) => output(tool, [...podman, 'run', '-d', ...options, '/bin/sleep', image, '600']),
    exec: (id, command) => [...podman, 'exec', id, ...command],
    stopAll: (ids) => void output(tool, [...podman, 'rm', '--force', '--time=0', ...ids]),
  };
}

function output({ env }: Tool, [file = '', ...args]: readonly string[]): string {
  return execFileSync(file, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}
