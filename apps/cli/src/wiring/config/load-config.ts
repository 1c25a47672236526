// SPDX-License-Identifier: Apache-2.0
import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CliError, errnoOf, reasonOf } from '../../errors.ts';
import { quote } from '../../render/quote.ts';
import type { BasicCredential, Config, ConfigFile, RegistryRule } from './config.ts';
import { type ConfigDirectory, parseConfigFile } from './parse-config-file.ts';

const MAX_FILE_BYTES = 1 << 20;
const READABLE_BY_ALL = 0o004;

interface Layer {
  readonly credentials: Map<string, BasicCredential>;
  readonly registries: Map<string, RegistryRule>;
  readonly exposed: string[];
  dataDir: string | undefined;
  flavor: string | undefined;
}

/**
 * Reads the configuration: the `*.json` files of `auth.d`, `paths.d`, `stage1.d` and `registries.d` below each
 * directory. What a later directory says replaces what an earlier one said; within a directory nothing may be said
 * twice. A directory that does not exist says nothing.
 * @throws {CliError} ERR_RKT_CLI_CONFIG_INVALID naming the file and what is wrong with it
 */
export function loadConfig(configDirs: readonly string[]): Config {
  const layers = configDirs.map(loadLayer);
  return {
    dockerCredentials: new Map(layers.flatMap(({ credentials }) => [...credentials])),
    registries: new Map(layers.flatMap(({ registries }) => [...registries])),
    exposed: layers.flatMap(({ exposed }) => exposed),
    dataDir: layers.findLast(({ dataDir }) => dataDir !== undefined)?.dataDir,
    flavor: layers.findLast(({ flavor }) => flavor !== undefined)?.flavor,
  };
}

function loadLayer(configDir: string): Layer {
  const layer: Layer = {
    credentials: new Map(),
    registries: new Map(),
    exposed: [],
    dataDir: undefined,
    flavor: undefined,
  };
  for (const directory of ['auth.d', 'paths.d', 'stage1.d', 'registries.d'] satisfies ConfigDirectory[]) {
    for (const path of filesOf(join(configDir, directory))) {
      try {
        const file = parseConfigFile(readLimited(path), directory);
        if (directory === 'auth.d' && (statSync(path).mode & READABLE_BY_ALL) !== 0) layer.exposed.push(path);
        add(layer, file);
      } catch (error) {
        throw invalid(path, error);
      }
    }
  }
  return layer;
}

/** Regular files only: neither sub-directories nor symbolic links are followed. */
function filesOf(dir: string): readonly string[] {
  let entries: readonly Dirent[];
  try {
    entries = readdirSync(dir, { withFileTypes: true });
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw invalid(dir, error);
  }
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.json'));
  return files.map(({ name }) => join(dir, name)).sort();
}

function readLimited(path: string): string {
  if (statSync(path).size > MAX_FILE_BYTES) throw new Error(`it is larger than ${MAX_FILE_BYTES} bytes`);
  return readFileSync(path, 'utf8');
}

function add(layer: Layer, file: ConfigFile): void {
  switch (file.kind) {
    case 'dockerAuth':
      for (const registry of file.registries) {
        once(layer.credentials, registry, `credentials for docker registry ${quote(registry)}`);
        layer.credentials.set(registry, file.credential);
      }
      return;
    case 'registryMirrors':
      for (const rule of file.registries) {
        once(layer.registries, rule.domain, `registry ${quote(rule.domain)}`);
        layer.registries.set(rule.domain, rule);
      }
      return;
    case 'paths':
      if (layer.dataDir !== undefined && file.dataDir !== undefined) throw new Error('data path is already specified');
      layer.dataDir ??= file.dataDir;
      return;
    case 'stage1':
      if (layer.flavor !== undefined) throw new Error('stage1 is already specified');
      layer.flavor = file.name;
      return;
    case 'auth':
      return;
  }
}

function once(known: ReadonlyMap<string, unknown>, key: string, what: string): void {
  if (known.has(key)) throw new Error(`${what} are already specified`);
}

function invalid(path: string, error: unknown): CliError {
  if (!(error instanceof Error)) throw error;
  return new CliError('ERR_RKT_CLI_CONFIG_INVALID', `cannot use configuration ${quote(path)}: ${reasonOf(error)}`, {
    cause: error,
  });
}
