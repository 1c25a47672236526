// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { executable, type Finished, type RktHost } from './rkt.ts';

/** The name by which `rktWithNames` reaches 127.0.0.1: to rkt it is not loopback. */
export const REGISTRY_NAME = 'registry.test';

/** Where a test puts files that `rktWithNames` is to find below /etc. */
export function etcOf(host: RktHost): string {
  return join(host.dir, 'host-etc');
}

/** Puts a file of text where `rktWithNames` finds it below /etc. */
export function writeEtc(host: RktHost, path: string, text: string): void {
  const file = join(etcOf(host), path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/**
 * Runs `rkt` where `registry.test` is 127.0.0.1 and the files of `etcOf` are over those of the host's /etc, in a mount
 * namespace that ends with it; its home is the installation's directory, and no proxy is in the way but one in `variables`.
 */
export function rktWithNames(
  host: RktHost,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  writeEtc(host, 'hosts', `127.0.0.1 localhost ${REGISTRY_NAME}\n`);
  const globals = [`--dir=${host.dataDir}`, `--local-config=${host.configDir}`, '--system-config='];
  const script = 'mount -t overlay -o "lowerdir=$0:/etc" overlay /etc && exec "$@"';
  const inner = ['sh', '-c', script, etcOf(host), executable, ...globals, ...args];
  const command = ['--mount', '--propagation', 'private', ...inner];
  const env = { PATH: process.env['PATH'] ?? '', HOME: host.dir, TMPDIR: join(host.dir, 'tmp'), ...variables };
  return new Promise((resolve, reject) => {
    const child = execFile('unshare', command, { env, encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') return reject(error);
      resolve({ status: child.exitCode ?? -1, stdout, stderr });
    });
  });
}
