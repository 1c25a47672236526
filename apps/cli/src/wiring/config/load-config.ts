// SPDX-License-Identifier: Apache-2.0
import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CliError, errnoOf, reasonOf } from '../../errors.ts';
import { quote } from '../../render/quote.ts';
import type { Config, ConfigFile } from './config.ts';
import { type ConfigDirectory, parseConfigFile } from './parse-config-file.ts';

const MAX_FILE_BYTES = 1 << 20;

type Entry<K extends 'auth' | 'dockerAuth' | 'registries'> = Config[K] extends ReadonlyMap<string, infer V> ? V : never;

/** What the files of one directory say. */
interface Layer {
  readonly auth: Map<string, Entry<'auth'>>;
  readonly dockerAuth: Map<string, Entry<'dockerAuth'>>;
  readonly registries: Map<string, Entry<'registries'>>;
  readonly passwordFiles: string[];
  dataDir: Config['dataDir'];
  stage1Images: Config['stage1Images'];
  stage1: Config['stage1'];
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
    auth: new Map(layers.flatMap(({ auth }) => [...auth])),
    dockerAuth: new Map(layers.flatMap(({ dockerAuth }) => [...dockerAuth])),
    registries: new Map(layers.flatMap(({ registries }) => [...registries])),
    passwordFiles: layers.flatMap(({ passwordFiles }) => passwordFiles),
    dataDir: layers.findLast(({ dataDir }) => dataDir !== undefined)?.dataDir,
    stage1Images: layers.findLast(({ stage1Images }) => stage1Images !== undefined)?.stage1Images,
    stage1: layers.findLast(({ stage1 }) => stage1 !== undefined)?.stage1,
  };
}

function loadLayer(configDir: string): Layer {
  const layer: Layer = {
    auth: new Map(),
    dockerAuth: new Map(),
    registries: new Map(),
    passwordFiles: [],
    dataDir: undefined,
    stage1Images: undefined,
    stage1: undefined,
  };
  for (const directory of ['auth.d', 'paths.d', 'stage1.d', 'registries.d'] satisfies ConfigDirectory[]) {
    for (const path of filesOf(join(configDir, directory))) {
      try {
        const file = parseConfigFile(readLimited(path), directory);
        if (directory === 'auth.d') layer.passwordFiles.push(path);
        add(layer, file, path);
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

function add(layer: Layer, file: ConfigFile, source: string): void {
  switch (file.kind) {
    case 'auth':
      for (const domain of file.domains) {
        once(layer.auth, domain, `credentials for ${quote(domain)}`);
        layer.auth.set(domain, { credential: file.credential, source });
      }
      return;
    case 'dockerAuth':
      for (const registry of file.registries) {
        once(layer.dockerAuth, registry, `credentials for docker registry ${quote(registry)}`);
        layer.dockerAuth.set(registry, { credential: file.credential, source });
      }
      return;
    case 'registryMirrors':
      for (const rule of file.registries) {
        once(layer.registries, rule.domain, `rules for registry ${quote(rule.domain)}`);
        layer.registries.set(rule.domain, { rule, source });
      }
      return;
    case 'paths':
      layer.dataDir = onlyPath('data path', layer.dataDir, { path: file.dataDir, source });
      layer.stage1Images = onlyPath('stage1-images path', layer.stage1Images, { path: file.stage1Images, source });
      return;
    case 'stage1':
      if (layer.stage1 !== undefined) throw new Error(`stage1 is already specified in ${quote(layer.stage1.source)}`);
      layer.stage1 = { ...file.stage1, source };
      return;
  }
}

function once(known: ReadonlyMap<string, { readonly source: string }>, key: string, what: string): void {
  const first = known.get(key);
  if (first !== undefined) throw new Error(`${what} are already specified in ${quote(first.source)}`);
}

function onlyPath(
  what: string,
  known: Config['dataDir'],
  said: { readonly path: string | undefined; readonly source: string },
): Config['dataDir'] {
  if (said.path === undefined) return known;
  if (known !== undefined) throw new Error(`${what} is already specified in ${quote(known.source)}`);
  return { path: said.path, source: said.source };
}

function invalid(path: string, error: unknown): CliError {
  if (!(error instanceof Error)) throw error;
  return new CliError('ERR_RKT_CLI_CONFIG_INVALID', `cannot use configuration ${quote(path)}: ${reasonOf(error)}`, {
    cause: error,
  });
}
