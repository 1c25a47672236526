// SPDX-License-Identifier: Apache-2.0
import { isAbsolute, normalize } from 'node:path';
import type { Mount, Volume } from '@rkt/appc';
import { quote } from '../render/quote.ts';
import { isAcName, requireAcName } from './ac-name.ts';
import type { VolumeAndMount } from './docker-volume.ts';

const KEYS: Readonly<Record<Volume['kind'], readonly string[]>> = {
  host: ['source', 'readOnly', 'recursive'],
  empty: ['readOnly', 'mode', 'uid', 'gid'],
  tmpfs: ['readOnly', 'mode', 'uid', 'gid'],
};

/** Reads `NAME,kind=host,source=PATH[,...]` and its like. Throws an Error for what is none. */
export function parseVolumeFlag(text: string): Volume {
  const [name = '', ...pairs] = text.split(',');
  requireAcName(name);
  const settings = readPairs(pairs);
  const kind = settings.get('kind');
  if (kind !== 'host' && kind !== 'empty' && kind !== 'tmpfs') {
    throw new Error('unrecognized volume kind: should be one of "empty", "host"');
  }
  const unknown = [...settings.keys()].find((key) => key !== 'kind' && !KEYS[kind].includes(key));
  if (unknown !== undefined) throw new Error(`a volume of kind ${kind} has no ${quote(unknown)}`);
  return { name, kind, ...location(kind, settings), ...readFlags(settings), ...ownership(settings) };
}

/** Reads `volume=NAME,target=PATH`. Throws an Error for what is none. */
export function parseMountFlag(text: string): Mount {
  const settings = readPairs(text.split(','));
  const volume = settings.get('volume') ?? '';
  const path = settings.get('target') ?? '';
  if (settings.size !== 2 || !isAcName(volume)) throw new Error('it must be volume=NAME,target=PATH');
  if (!isAbsolute(path)) throw new Error('the target must be an absolute path');
  return { volume, path: normalize(path) };
}

/** Reads `name=NAME,kind=KIND,target=PATH[,...]` into a `--volume` and a `--mount`. Throws an Error for what is none. */
export function parseMountedVolume(text: string): VolumeAndMount {
  const settings = readPairs(text.split(','));
  const { name = '', target = '', ...others } = Object.fromEntries(settings);
  const pairs = Object.entries(others).map(([key, value]) => `${key}=${value}`);
  const volume = [name, ...pairs].join(',');
  const mount = `volume=${name},target=${target}`;
  parseVolumeFlag(volume);
  parseMountFlag(mount);
  return { volume, mount };
}

function readPairs(pairs: readonly string[]): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    if (equals < 1) throw new Error(`expected key=value, got ${quote(pair)}`);
    const key = pair.slice(0, equals);
    if (settings.has(key)) throw new Error(`${quote(key)} is given twice`);
    settings.set(key, pair.slice(equals + 1));
  }
  return settings;
}

function location(kind: Volume['kind'], settings: ReadonlyMap<string, string>): Pick<Volume, 'source'> {
  const source = settings.get('source');
  if (kind !== 'host') return {};
  if (source === undefined || !isAbsolute(source)) throw new Error('a host volume needs source=PATH, an absolute path');
  return { source: normalize(source) };
}

function readFlags(settings: ReadonlyMap<string, string>): Pick<Volume, 'readOnly' | 'recursive'> {
  const flag = (key: string): boolean | undefined => {
    const value = settings.get(key);
    if (value === undefined) return undefined;
    if (value !== 'true' && value !== 'false') throw new Error(`${key} must be true or false`);
    return value === 'true';
  };
  const readOnly = flag('readOnly');
  const recursive = flag('recursive');
  return { ...(readOnly === undefined ? {} : { readOnly }), ...(recursive === undefined ? {} : { recursive }) };
}

function ownership(settings: ReadonlyMap<string, string>): Pick<Volume, 'mode' | 'uid' | 'gid'> {
  const mode = settings.get('mode');
  if (mode !== undefined && !/^[0-7]{3,4}$/.test(mode)) throw new Error('mode must be three or four octal digits');
  const id = (key: 'uid' | 'gid') => {
    const value = settings.get(key);
    if (value === undefined) return {};
    if (!/^\d{1,10}$/.test(value) || Number(value) > 0xffff_fffe) throw new Error(`${key} must be a number`);
    return { [key]: Number(value) };
  };
  return { ...(mode === undefined ? {} : { mode }), ...id('uid'), ...id('gid') };
}
