// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { diskBytes, emptyDirectory } from '../arena/disk.ts';
import type { Tool } from './tool.ts';

/** The runtime by itself on an unpacked bundle: the floor under every `run`. */
export function runcTool(arena: string): Tool {
  const dir = join(arena, 'runc');
  const state = join(arena, 'runc-state');
  const bundles = new Map<string, string>();
  let runs = 0;
  const bundleOf = (image: string, network: 'host' | 'none') => {
    const key = `${network} ${image}`;
    const bundle = bundles.get(key) ?? makeBundle(join(dir, `${bundles.size}`), image, network);
    bundles.set(key, bundle);
    return bundle;
  };
  emptyDirectory(dir);
  const pull = () => [];
  return {
    name: 'runc alone',
    env: process.env,
    hasDaemon: false,
    reset: () => {},
    pull,
    refresh: pull,
    run: (image, network) =>
      network === 'default'
        ? undefined
        : [['runc', '--root', state, 'run', '--bundle', bundleOf(image, network), `bench-${++runs}`]],
    disk: () => diskBytes(dir),
    close: () => {},
  };
}

function makeBundle(dir: string, image: string, network: 'host' | 'none'): string {
  const layout = `${dir}.layout`;
  const bundle = `${dir}.bundle`;
  execFileSync('skopeo', ['copy', '-q', '--src-tls-verify=false', `docker://${image}`, `oci:${layout}:latest`]);
  execFileSync('umoci', ['unpack', '--image', `${layout}:latest`, bundle], { stdio: 'ignore' });
  const file = join(bundle, 'config.json');
  const config = JSON.parse(readFileSync(file, 'utf8'));
  Object.assign(config.process, { args: ['/bin/true'], terminal: false, rlimits: [] });
  if (network === 'host') {
    config.linux.namespaces = config.linux.namespaces.filter(({ type }: { type: string }) => type !== 'network');
  }
  writeFileSync(file, JSON.stringify(config));
  return bundle;
}
