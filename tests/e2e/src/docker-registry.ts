// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';

/** Debian's docker-registry on a free loopback port. */
export interface DockerRegistry extends AsyncDisposable {
  readonly host: string;
  /** Pushes the image of an OCI layout. */
  push(layout: string, repository: string, tag: string): Promise<void>;
}

export async function startDockerRegistry(): Promise<DockerRegistry> {
  const dir = mkdtempSync(join(tmpdir(), 'rkt-e2e-registry-'));
  const host = `127.0.0.1:${await freePort()}`;
  const config = join(dir, 'config.yml');
  writeFileSync(
    config,
    `version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: ${dir}/data}}\nhttp: {addr: "${host}"}\n`,
  );
  // It ends with this process, also when that is killed.
  const command = ['--pdeathsig', 'TERM', 'docker-registry', 'serve', config];
  const server = spawn('setpriv', command, { stdio: 'ignore' });
  const closed = new Promise((resolve) => server.on('close', resolve).on('error', resolve));
  const stop = async () => {
    server.kill('SIGTERM');
    await closed;
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    await eventually(async () => (await fetch(`http://${host}/v2/`)).ok || undefined);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    host,
    push: (layout, repository, tag) => pushLayout(`http://${host}/v2/${repository}`, layout, tag),
    [Symbol.asyncDispose]: stop,
  };
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
}

async function pushLayout(base: string, layout: string, tag: string): Promise<void> {
  const blob = (digest: string) => readFileSync(join(layout, 'blobs', digest.replace(':', '/')));
  const index: { manifests: Descriptor[] } = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'));
  const [descriptor] = index.manifests;
  if (descriptor === undefined) throw new Error(`${layout} holds no manifest`);
  const bytes = blob(descriptor.digest);
  const manifest: { config: Descriptor; layers: Descriptor[] } = JSON.parse(bytes.toString('utf8'));
  for (const { digest } of [manifest.config, ...manifest.layers]) {
    const opened = await fetch(`${base}/blobs/uploads/`, { method: 'POST' });
    const location = new URL(opened.headers.get('location') ?? '', base);
    location.searchParams.set('digest', digest);
    await expectOk(await fetch(location, { method: 'PUT', body: new Uint8Array(blob(digest)) }));
  }
  const headers = { 'content-type': descriptor.mediaType };
  await expectOk(await fetch(`${base}/manifests/${tag}`, { method: 'PUT', headers, body: new Uint8Array(bytes) }));
}

async function expectOk(response: Response): Promise<void> {
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${await response.text()}`);
}

/** A port nothing listens on right now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
