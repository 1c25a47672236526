// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { executable, type Finished, type Installation } from './rkt.ts';

/** The name by which `rktWithNames` reaches 127.0.0.1: to rkt it is not loopback. */
export const REGISTRY_NAME = 'registry.test';

/**
 * Runs `rkt` where `registry.test` is 127.0.0.1. Its /etc/hosts is mounted over the host's in a mount namespace that
 * ends with it; its home is the installation's directory, and no proxy is in the way.
 */
export function rktWithNames(host: Installation, args: readonly string[]): Promise<Finished> {
  const hosts = join(host.dir, 'hosts');
  writeFileSync(hosts, `127.0.0.1 localhost ${REGISTRY_NAME}\n`);
  const globals = [`--dir=${host.dataDir}`, `--local-config=${host.configDir}`, `--system-config=${host.dir}/none`];
  const script = 'mount --bind "$0" /etc/hosts && exec "$@"';
  const command = ['--mount', '--propagation', 'private', 'sh', '-c', script, hosts, executable, ...globals, ...args];
  const env = { PATH: process.env['PATH'] ?? '', HOME: host.dir, TMPDIR: join(host.dir, 'tmp') };
  return new Promise((resolve, reject) => {
    const child = execFile('unshare', command, { env, encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') return reject(error);
      resolve({ status: child.exitCode ?? -1, stdout, stderr });
    });
  });
}
