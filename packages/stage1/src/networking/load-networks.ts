// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:fs';
import { type FileHandle, open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Stage1Error } from '../error.ts';
import { builtInNetworks } from './built-in-networks.ts';
import { type NetworkConfig, parseNetworkConfig } from './network-config.ts';

const maxFiles = 256;
const maxFileBytes = 256 * 1024;

export interface LoadOptions {
  readonly ipamDir: string;
  /** Whether the built-in networks give IPv6 addresses too. */
  readonly ip6: boolean;
}

/**
 * Every network known on this host, by name: the built-in ones, then `net.d/*.conf` and `*.conflist` of each directory;
 * later directories replace earlier ones' networks of the same name.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_NETWORK_CONFIG_INVALID naming the file: not JSON, larger than 256 KiB, no regular
 *   file, in the hands of other users, more than 256 files in a directory, or a name that two files of one directory give
 */
export async function loadNetworks(
  configDirs: readonly string[],
  { ipamDir, ip6 }: LoadOptions,
): Promise<ReadonlyMap<string, NetworkConfig>> {
  const networks = new Map<string, NetworkConfig>();
  for (const network of builtInNetworks({ ipamDir, mtu: await uplinkMtu(), ip6 })) networks.set(network.name, network);
  for (const dir of configDirs) {
    for (const [name, network] of await loadDirectory(join(dir, 'net.d'))) networks.set(name, network);
  }
  return networks;
}

async function loadDirectory(dir: string): Promise<ReadonlyMap<string, NetworkConfig>> {
  const found = new Map<string, NetworkConfig>();
  const origins = new Map<string, string>();
  for (const file of await configFiles(dir)) {
    const path = join(dir, file);
    const network = parseNetworkConfig(await readCapped(path), path);
    const other = origins.get(network.name);
    if (other !== undefined) throw invalid(`network ${network.name} is configured twice: in ${other} and in ${path}`);
    origins.set(network.name, path);
    found.set(network.name, network);
  }
  return found;
}

async function configFiles(dir: string): Promise<readonly string[]> {
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new Stage1Error('ERR_RKT_STAGE1_NETWORK_CONFIG_INVALID', `cannot read ${dir}`, { cause: error });
  });
  const files = names.filter((name) => /\.(conf|conflist)$/.test(name) && !name.startsWith('.')).sort();
  if (files.length > maxFiles) throw invalid(`too many files in ${dir}: expected at most ${maxFiles}`);
  return files;
}

async function readCapped(path: string): Promise<string> {
  try {
    // A named pipe would keep us waiting.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    await requireOurs(file, path);
    const buffer = Buffer.alloc(maxFileBytes + 1);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    if (bytesRead <= maxFileBytes) return buffer.toString('utf8', 0, bytesRead);
  } catch (error) {
    if (error instanceof Stage1Error) throw error;
    throw new Stage1Error('ERR_RKT_STAGE1_NETWORK_CONFIG_INVALID', `cannot read ${path}`, { cause: error });
  }
  throw invalid(`network configuration ${path} is larger than ${maxFileBytes} bytes`);
}

const writableByGroup = 0o020;
const writableByOthers = 0o002;

/** Plugins run as root and write where the configuration says: it must not be for others to say. */
async function requireOurs(file: FileHandle, path: string): Promise<void> {
  const status = await file.stat();
  if (!status.isFile()) throw invalid(`network configuration ${path} is not a regular file`);
  const isOurs = status.uid === 0 || status.uid === process.geteuid?.();
  const writable = status.mode & (status.gid === 0 ? writableByOthers : writableByOthers | writableByGroup);
  if (isOurs && writable === 0) return;
  throw invalid(`network configuration ${path} can be changed by others: it must be root's and writable by root alone`);
}

/** The MTU of the interface the default route goes through. A host without one gives undefined. */
async function uplinkMtu(): Promise<number | undefined> {
  try {
    const routes = (await readFile('/proc/net/route', 'utf8')).split('\n').slice(1);
    const uplink = routes.map((line) => line.split('\t')).find(([, destination]) => destination === '00000000')?.[0];
    if (uplink === undefined || !/^[^/\s]{1,15}$/.test(uplink)) return undefined;
    const mtu = Number(await readFile(`/sys/class/net/${uplink}/mtu`, 'utf8'));
    // 576 is the least every IPv4 host must take (RFC 791).
    return Number.isInteger(mtu) && mtu >= 576 && mtu <= 65_535 ? mtu : undefined;
  } catch {
    // No /proc or an interface that has just gone: the kernel's default serves.
    return undefined;
  }
}

function invalid(message: string): Stage1Error {
  return new Stage1Error('ERR_RKT_STAGE1_NETWORK_CONFIG_INVALID', message);
}
