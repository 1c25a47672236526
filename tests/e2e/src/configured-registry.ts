// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { freePort } from './docker-registry.ts';
import { eventually } from './eventually.ts';

/** Debian's docker-registry with settings of the test's own. */
export interface ConfiguredRegistry extends AsyncDisposable {
  readonly port: number;
  /** `127.0.0.1:40001` */
  readonly host: string;
}

export interface RegistrySettings {
  /** Where configuration and, unless `data` says another place, content are. Is removed by whoever made it. */
  readonly dir: string;
  readonly data?: string;
  readonly port?: number;
  /** Sections of the configuration besides log, storage and http, and what `http` says besides the address. */
  readonly sections?: Readonly<Record<string, unknown>>;
  readonly http?: Readonly<Record<string, unknown>>;
}

export async function startConfiguredRegistry(settings: RegistrySettings): Promise<ConfiguredRegistry> {
  const port = settings.port ?? (await freePort());
  const host = `127.0.0.1:${port}`;
  const config = join(settings.dir, `registry-${port}.yml`);
  // JSON is YAML.
  const document = {
    version: '0.1',
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: settings.data ?? join(settings.dir, 'data') } },
    http: { addr: host, ...settings.http },
    ...settings.sections,
  };
  writeFileSync(config, JSON.stringify(document));
  const server = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
  const closed = new Promise((resolve) => server.on('close', resolve));
  await eventually(() => isListening(port));
  return {
    port,
    host,
    [Symbol.asyncDispose]: async () => {
      server.kill('SIGTERM');
      await closed;
    },
  };
}

function isListening(port: number): Promise<true> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: '127.0.0.1', port }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', reject);
  });
}

/** Puts an image of one small file into the content below `dir`, where registries with other settings can serve it. */
export async function storeSmallImage(dir: string, repository: string, tag: string): Promise<void> {
  mkdirSync(dir, { recursive: true });
  await using registry = await startConfiguredRegistry({ dir });
  const base = `http://${registry.host}/v2/${repository}`;
  const tar = Buffer.concat([tarHeader('hello', 6), Buffer.from('hello\n'.padEnd(512, '\0')), Buffer.alloc(1024)]);
  const layer = gzipSync(tar);
  const config = Buffer.from(
    JSON.stringify({
      os: 'linux',
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      config: { Cmd: ['/hello'] },
      rootfs: { type: 'layers', diff_ids: [sha256(tar)] },
    }),
  );
  for (const blob of [config, layer]) await pushBlob(base, blob);
  const type = 'application/vnd.oci.image';
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: `${type}.manifest.v1+json`,
    config: { mediaType: `${type}.config.v1+json`, digest: sha256(config), size: config.length },
    layers: [{ mediaType: `${type}.layer.v1.tar+gzip`, digest: sha256(layer), size: layer.length }],
  });
  const headers = { 'content-type': `${type}.manifest.v1+json` };
  await expectOk(await fetch(`${base}/manifests/${tag}`, { method: 'PUT', headers, body: manifest }));
}

async function pushBlob(base: string, bytes: Buffer): Promise<void> {
  const opened = await fetch(`${base}/blobs/uploads/`, { method: 'POST' });
  const location = new URL(opened.headers.get('location') ?? '', base);
  location.searchParams.set('digest', sha256(bytes));
  await expectOk(await fetch(location, { method: 'PUT', body: new Uint8Array(bytes) }));
}

async function expectOk(response: Response): Promise<void> {
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${await response.text()}`);
}

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function tarHeader(name: string, size: number): Buffer {
  const header = Buffer.alloc(512);
  const octal = (value: number): string => `${value.toString(8).padStart(11, '0')}\0`;
  header.write(name, 0);
  header.write('0000755\0'.concat('0000000\0', '0000000\0', octal(size), octal(0), ' '.repeat(8), '0'), 100);
  header.write('ustar\0'.concat('00'), 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}
