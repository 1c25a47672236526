// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Repository } from '@rkt/refparse';
import { CliError, errnoOf, reasonOf } from '../../errors.ts';
import { quote } from '../../render/quote.ts';
import type { ContainersMirror, ContainersRule } from './config.ts';
import { requireLocation } from './server-location.ts';

const DIRECTORY = '/etc/containers';
const MAX_FILE_BYTES = 1 << 20;
const WILDCARD = /^\*(\.[A-Za-z0-9-]+)+$/;

export interface RegistriesConfPlace {
  /** Read instead of everything in `directory`; it must be there. */
  readonly file?: string | undefined;
  /** @default /etc/containers */
  readonly directory?: string;
}

/**
 * Reads the `[[registry]]` tables of containers' `registries.conf` (version 2) and of `registries.conf.d/*.conf`; later
 * files replace what earlier ones say about the same prefix. Everything else in them is podman's concern. Files that do
 * not exist say nothing, but for one that was named: what it blocks would not be. They may have 1 MiB each.
 * @throws {CliError} ERR_RKT_CLI_CONFIG_INVALID naming the file and what is wrong with it
 */
export async function loadRegistriesConf(place: RegistriesConfPlace = {}): Promise<readonly ContainersRule[]> {
  const rules = new Map<string, ContainersRule>();
  for (const path of place.file === undefined ? filesOf(place.directory ?? DIRECTORY) : [place.file]) {
    try {
      const text = read(path);
      if (text === undefined && path === place.file) throw new Error('there is no such file');
      if (text === undefined) continue;
      // Loaded for whoever has such a file.
      const { parse } = await import('smol-toml');
      for (const rule of rulesOf(parse(text), path)) rules.set(rule.prefix, rule);
    } catch (error) {
      // The parser draws the place below its message.
      const [reason] = reasonOf(error).split('\n', 1);
      const message = `cannot use configuration ${quote(path)}: ${reason}`;
      throw new CliError('ERR_RKT_CLI_CONFIG_INVALID', message, { cause: error });
    }
  }
  return [...rules.values()];
}

/** The rule with the longest prefix that the repository has; a name of its own counts before `*.domain`. */
export function ruleFor(repository: Repository, rules: readonly ContainersRule[]): ContainersRule | undefined {
  const name = `${repository.domain}/${repository.path}`;
  const exact = rules.filter(({ prefix }) => `${name}/`.startsWith(`${prefix}/`));
  const host = repository.domain.replace(/:\d+$/, '');
  const wild = rules.filter(({ prefix }) => prefix.startsWith('*.') && host.endsWith(prefix.slice(1)));
  return longest(exact) ?? longest(wild);
}

function longest(rules: readonly ContainersRule[]): ContainersRule | undefined {
  return rules.toSorted((a, b) => b.prefix.length - a.prefix.length)[0];
}

function filesOf(directory: string): readonly string[] {
  return [join(directory, 'registries.conf'), ...dropIns(join(directory, 'registries.conf.d'))];
}

function dropIns(directory: string): readonly string[] {
  try {
    const names = readdirSync(directory).filter((name) => name.endsWith('.conf'));
    return names.sort().map((name) => join(directory, name));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}

function read(path: string): string | undefined {
  try {
    if (statSync(path).size > MAX_FILE_BYTES) throw new Error(`it is larger than ${MAX_FILE_BYTES} bytes`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

type Table = Readonly<Record<string, unknown>>;

function rulesOf(document: Table, source: string): readonly ContainersRule[] {
  return tables(document, 'registry').map((table, index) => ({ source, ...ruleOf(table, `registry[${index}]`) }));
}

function ruleOf(table: Table, what: string): Omit<ContainersRule, 'source'> {
  const location = text(table, 'location', what);
  const prefix = text(table, 'prefix', what) || location;
  if (prefix === '') throw new Error(`${what} must have a prefix or a location`);
  if (location !== '') requireLocation(location, `${what}.location`);
  const isWildcard = WILDCARD.test(prefix);
  if (!isWildcard) requireLocation(prefix, `${what}.prefix`);
  const digestOnly = flag(table, 'mirror-by-digest-only', what);
  return {
    prefix,
    location: location || (isWildcard ? undefined : prefix),
    mirrors: tables(table, 'mirror').map((mirror, index) => mirrorOf(mirror, `${what}.mirror[${index}]`, digestOnly)),
    insecure: flag(table, 'insecure', what),
    blocked: flag(table, 'blocked', what),
  };
}

function mirrorOf(table: Table, what: string, digestOnly: boolean): ContainersMirror {
  const location = text(table, 'location', what);
  requireLocation(location, `${what}.location`);
  const pull = text(table, 'pull-from-mirror', what) || 'all';
  if (!['all', 'digest-only', 'tag-only'].includes(pull)) {
    throw new Error(`${what}.pull-from-mirror must be all, digest-only or tag-only, got ${quote(pull)}`);
  }
  return { location, insecure: flag(table, 'insecure', what), digestOnly: digestOnly || pull === 'digest-only' };
}

function tables(table: Table, name: string): readonly Table[] {
  const value = table[name] ?? [];
  // Version 1 has one table `registries`, and no list by this name.
  if (!Array.isArray(value)) throw new Error(`${name} must be a list of tables: [[${name}]]`);
  return value;
}

/** Without the slashes at its end, as podman reads it. */
function text(table: Table, name: string, what: string): string {
  const value = table[name] ?? '';
  if (typeof value !== 'string') throw new Error(`${what}.${name} must be a string`);
  return value.replace(/\/+$/, '');
}

function flag(table: Table, name: string, what: string): boolean {
  const value = table[name] ?? false;
  if (typeof value !== 'boolean') throw new Error(`${what}.${name} must be true or false`);
  return value;
}
