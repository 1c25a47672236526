// SPDX-License-Identifier: Apache-2.0
import { isAbsolute } from 'node:path';
import { quote } from '../../render/quote.ts';
import type { ConfigFile, Mirror, RegistryRule } from './config.ts';
import { array, type Fields, flag, nonEmpty, object, optional, parseJson, refuseUnknown, string } from './fields.ts';
import { parseAuth, parseDockerAuth } from './parse-auth.ts';
import { registryDomain } from './registry-domain.ts';
import { requireLocation } from './server-location.ts';

/** The kinds of configuration each directory holds. */
export const directories = {
  'auth.d': ['auth', 'dockerAuth'],
  'paths.d': ['paths'],
  'stage1.d': ['stage1'],
  'registries.d': ['registryMirrors'],
} as const;

export type ConfigDirectory = keyof typeof directories;

type Kind = ConfigFile['kind'];

/** What each kind may say besides `rktKind` and `rktVersion`, and how it is read. */
const kinds: Readonly<
  Record<Kind, { readonly keys: readonly string[]; readonly read: (fields: Fields) => ConfigFile }>
> = {
  auth: { keys: ['domains', 'type', 'credentials'], read: parseAuth },
  dockerAuth: { keys: ['registries', 'credentials'], read: parseDockerAuth },
  paths: { keys: ['data', 'stage1-images'], read: paths },
  stage1: { keys: ['name', 'version', 'location'], read: stage1 },
  registryMirrors: { keys: ['registries'], read: registryMirrors },
};

/** Reads one configuration file. Throws an Error that says which field is wrong. */
export function parseConfigFile(text: string, directory: ConfigDirectory): ConfigFile {
  const fields = object(parseJson(text), 'the file');
  const name = string(fields, 'rktKind');
  const version = string(fields, 'rktVersion');
  const allowed: readonly Kind[] = directories[directory];
  const kind = allowed.find((each) => each === name);
  if (kind === undefined) throw new Error(`rktKind must be ${allowed.join(' or ')}, got ${quote(name)}`);
  if (version !== 'v1') throw new Error(`rktVersion must be "v1", got ${quote(version)}`);
  const { keys, read } = kinds[kind];
  refuseUnknown(fields, ['rktKind', 'rktVersion', ...keys]);
  return read(fields);
}

function paths(fields: Fields): ConfigFile {
  return { kind: 'paths', dataDir: absolute(fields, 'data'), stage1Images: absolute(fields, 'stage1-images') };
}

function absolute(fields: Fields, name: string): string | undefined {
  const path = optional(fields, name);
  if (path === undefined || isAbsolute(path)) return path;
  throw new Error(`${name} must be an absolute path, got ${quote(path)}`);
}

function stage1(fields: Fields): ConfigFile {
  const [version, location] = [optional(fields, 'version'), optional(fields, 'location')];
  return { kind: 'stage1', stage1: { name: nonEmpty(fields, 'name'), version, location } };
}

function registryMirrors(fields: Fields): ConfigFile {
  return { kind: 'registryMirrors', registries: array(fields, 'registries').map(registryRule) };
}

function registryRule(value: unknown, index: number): RegistryRule {
  const what = `registries[${index}]`;
  const fields = object(value, what);
  refuseUnknown(fields, ['domain', 'mirrors', 'insecure', 'blocked'], what);
  const mirrors = fields['mirrors'] === undefined ? [] : array(fields, 'mirrors', what);
  return {
    domain: registryDomain(fields['domain'], `${what}.domain`),
    mirrors: mirrors.map((mirror, at) => parseMirror(mirror, `${what}.mirrors[${at}]`)),
    insecure: flag(fields, 'insecure', what),
    blocked: flag(fields, 'blocked', what),
  };
}

function parseMirror(value: unknown, what: string): Mirror {
  const fields = object(value, what);
  refuseUnknown(fields, ['location', 'insecure'], what);
  const location = nonEmpty(fields, 'location', what);
  requireLocation(location, `${what}.location`);
  return { location, insecure: flag(fields, 'insecure', what) };
}
