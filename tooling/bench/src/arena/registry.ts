// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface BenchRegistry {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  close(): void;
}

/** Debian's docker-registry with its blobs under `dir`, on a free port of loopback. */
export async function startRegistry(dir: string): Promise<BenchRegistry> {
  mkdirSync(dir, { recursive: true });
  const port = await freePort();
  const config = join(dir, 'config.yml');
  writeFileSync(
    config,
    `version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: ${dir}/data}}\nhttp: {addr: "127.0.0.1:${port}"}\n`,
  );
  // It ends with the bench, also when that is killed.
  const command = ['--pdeathsig', 'TERM', 'docker-registry', 'serve', config];
  const server = spawn('setpriv', command, { stdio: 'ignore' });
  const host = `127.0.0.1:${port}`;
  for (let tries = 0; tries < 50; tries++) {
    if (await answers(host)) return { host, close: () => server.kill('SIGTERM') };
    await sleep(100);
  }
  server.kill('SIGKILL');
  throw new Error(`docker-registry did not answer on ${host} within 5 s`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function answers(host: string): Promise<boolean> {
  try {
    return (await fetch(`http://${host}/v2/`)).ok;
  } catch {
    return false;
  }
}

/** Pushes an OCI layout as `name:latest`, unless the registry's directory holds it from an earlier run. */
export function push(registry: BenchRegistry, dir: string, layout: string, name: string): void {
  if (existsSync(join(dir, 'data/docker/registry/v2/repositories', name, '_manifests/tags/latest'))) return;
  execFileSync(
    'skopeo',
    [
      'copy',
      '--quiet',
      '--preserve-digests',
      '--dest-tls-verify=false',
      `oci:${layout}:latest`,
      `docker://${registry.host}/${name}:latest`,
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
}
