// SPDX-License-Identifier: Apache-2.0
import { isAbsolute } from 'node:path';
import { tryParseReference } from '@rkt/refparse';
import { quote } from '../../render/quote.ts';
import type { ConfigFile, Mirror, RegistryRule } from './config.ts';

/** The kinds of configuration each directory holds. */
export const directories = {
  'auth.d': ['auth', 'dockerAuth'],
  'paths.d': ['paths'],
  'stage1.d': ['stage1'],
  'registries.d': ['registryMirrors'],
} as const;

export type ConfigDirectory = keyof typeof directories;

/** What each kind may say, the fields of the original that are of no concern here included. */
const keys: Readonly<Record<string, readonly string[]>> = {
  auth: ['domains', 'type', 'credentials'],
  dockerAuth: ['registries', 'credentials'],
  paths: ['data', 'stage1-images'],
  stage1: ['name', 'version', 'location'],
  registryMirrors: ['registries'],
};

type Fields = Readonly<Record<string, unknown>>;

/** Reads one configuration file. Throws an Error that says which field is wrong. */
export function parseConfigFile(text: string, directory: ConfigDirectory): ConfigFile {
  const fields = object(parseJson(text), 'the file');
  const kind = string(fields, 'rktKind');
  const version = string(fields, 'rktVersion');
  const allowed: readonly string[] = directories[directory];
  if (!allowed.includes(kind)) throw new Error(`rktKind must be ${allowed.join(' or ')}, got ${quote(kind)}`);
  if (version !== 'v1') throw new Error(`rktVersion must be "v1", got ${quote(version)}`);
  refuseUnknown(fields, ['rktKind', 'rktVersion', ...(keys[kind] ?? [])]);
  switch (kind) {
    case 'dockerAuth':
      return dockerAuth(fields);
    case 'paths':
      return paths(fields);
    case 'stage1':
      return { kind: 'stage1', name: nonEmpty(fields, 'name') };
    case 'registryMirrors':
      return { kind: 'registryMirrors', registries: array(fields, 'registries').map(registryRule) };
    default:
      return { kind: 'auth' };
  }
}

/** JSON.parse quotes the text in its message, and the text may hold a password. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('it is not valid JSON');
  }
}

function dockerAuth(fields: Fields): ConfigFile {
  const registries = array(fields, 'registries').map((value) => domain(value, 'registries'));
  if (registries.length === 0) throw new Error('registries must name at least one registry');
  const credentials = object(fields['credentials'], 'credentials');
  refuseUnknown(credentials, ['user', 'password'], 'credentials');
  const user = nonEmpty(credentials, 'user');
  return { kind: 'dockerAuth', registries, credential: { user, password: nonEmpty(credentials, 'password') } };
}

function paths(fields: Fields): ConfigFile {
  if (fields['data'] === undefined || fields['data'] === '') return { kind: 'paths', dataDir: undefined };
  const dataDir = string(fields, 'data');
  if (!isAbsolute(dataDir)) throw new Error(`data must be an absolute path, got ${quote(dataDir)}`);
  return { kind: 'paths', dataDir };
}

function registryRule(value: unknown, index: number): RegistryRule {
  const what = `registries[${index}]`;
  const fields = object(value, what);
  refuseUnknown(fields, ['domain', 'mirrors', 'insecure', 'blocked'], what);
  const mirrors = fields['mirrors'] === undefined ? [] : array(fields, 'mirrors');
  return {
    domain: domain(fields['domain'], `${what}.domain`),
    mirrors: mirrors.map((mirror, at) => parseMirror(mirror, `${what}.mirrors[${at}]`)),
    insecure: flag(fields, 'insecure'),
    blocked: flag(fields, 'blocked'),
  };
}

function parseMirror(value: unknown, what: string): Mirror {
  const fields = object(value, what);
  refuseUnknown(fields, ['location', 'insecure'], what);
  const location = nonEmpty(fields, 'location');
  const fits = /^(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?(\/[a-z0-9._/-]+)?$/.test(location);
  if (!fits || !URL.canParse(`https://${location}`)) {
    throw new Error(`${what}.location must be host[:port][/path], got ${quote(location)}`);
  }
  return { location, insecure: flag(fields, 'insecure') };
}

/** Old spellings of Docker Hub mean Docker Hub, as they do in references. */
function domain(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new Error(`${what} must be a string`);
  if (['index.docker.io', 'registry-1.docker.io', 'docker.io'].includes(value)) return 'docker.io';
  const parsed = tryParseReference(`${value}/x`);
  if (parsed === undefined || parsed.domain !== value) {
    throw new Error(`${what} must name a registry as host[:port], got ${quote(value)}`);
  }
  return value;
}

function object(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${what} must be an object`);
  return Object.fromEntries(Object.entries(value));
}

/** A misspelled field would leave unsaid what its author believes to have said. */
function refuseUnknown(fields: Fields, known: readonly string[], what?: string): void {
  const unknown = Object.keys(fields).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const where = what === undefined ? '' : ` in ${what}`;
  throw new Error(`unknown key ${quote(unknown)}${where}, expected ${known.join(', ')}`);
}

function array(fields: Fields, name: string): readonly unknown[] {
  const value = fields[name];
  if (!Array.isArray(value)) throw new Error(`${name} must be a list`);
  return value;
}

function string(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw new Error(`${name} must be a string`);
  return value;
}

function nonEmpty(fields: Fields, name: string): string {
  const value = string(fields, name);
  if (value === '') throw new Error(`${name} must not be empty`);
  return value;
}

function flag(fields: Fields, name: string): boolean {
  const value = fields[name] ?? false;
  if (typeof value !== 'boolean') throw new Error(`${name} must be true or false`);
  return value;
}
