// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { isAbsolute, resolve } from 'node:path';
import { quote } from '../render/quote.ts';

/** Values of `--volume` and `--mount` that say what docker says in one flag. */
export type VolumeAndMount = {
  readonly volume: string;
  readonly mount: string;
};

/**
 * What docker's `-v SOURCE:TARGET[:ro|rw]` says; undefined for what has not that form. A relative source is one of this
 * directory. Throws an Error for what docker has and rkt does not.
 */
export function fromDockerVolume(text: string): VolumeAndMount | undefined {
  const [, source = '', target = '', options = ''] = /^([^:,]+):(\/[^:,]*)(?::([a-zA-Z,]+))?$/.exec(text) ?? [];
  if (target === '') return undefined;
  const unknown = options.split(',').find((option) => !OPTIONS.has(option));
  if (unknown !== undefined) throw new Error(`a volume has no option ${quote(unknown)}: it is ro or rw`);
  return bind({ source, target, readOnly: options.split(',').includes('ro') });
}

/** The letters ask for labels of SELinux, which rkt sets none of. */
const OPTIONS: ReadonlySet<string> = new Set(['', 'ro', 'rw', 'z', 'Z']);

/** The same of docker's `--mount=type=bind,source=SOURCE,target=TARGET[,readonly]`. */
export function fromDockerMount(text: string): VolumeAndMount | undefined {
  const fields = new Map(text.split(',').map((field) => split(field)));
  const target = fields.get('target') ?? fields.get('dst') ?? fields.get('destination');
  if (fields.has('volume') || target === undefined) return undefined;
  if (!['type', 'source', 'src'].some((name) => fields.has(name))) return undefined;
  const type = fields.get('type') ?? 'bind';
  if (type === 'tmpfs') throw new Error(`write --volume=NAME,kind=empty --mount=volume=NAME,target=${safe(target)}`);
  if (type !== 'bind') throw new Error(`a mount is of type bind here, not ${quote(type)}`);
  const unknown = [...fields.keys()].find((name) => !BIND.has(name));
  if (unknown !== undefined) throw new Error(`a mount has no ${quote(unknown)} here`);
  const readOnly = isSet(fields, 'readonly') || isSet(fields, 'ro');
  return bind({ source: fields.get('source') ?? fields.get('src') ?? '', target, readOnly });
}

const BIND: ReadonlySet<string> = new Set(['type', 'source', 'src', 'target', 'dst', 'destination', 'readonly', 'ro']);

/** As docker reads it: the name alone, or a word of Go's `ParseBool`. */
function isSet(fields: ReadonlyMap<string, string>, name: string): boolean {
  const value = fields.get(name);
  if (value === undefined || FALSE.has(value)) return false;
  if (value === '' || TRUE.has(value)) return true;
  throw new Error(`${name} must be true or false, got ${quote(value)}`);
}

const TRUE: ReadonlySet<string> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE: ReadonlySet<string> = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

interface Bind {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

function bind({ source, target, readOnly }: Bind): VolumeAndMount {
  // Docker takes anything else for the name of a volume that it keeps.
  if (!/^(\/|\.{1,2}(\/|$))/.test(source)) {
    throw new Error(`volumes are kept in directories of the host: write -v /PATH:${safe(target)}`);
  }
  if (!isAbsolute(target)) throw new Error('the target must be an absolute path');
  const path = resolve(source);
  if (path.includes(',')) throw new Error(`there must be no comma in the source ${quote(path)}`);
  // A mount point of an image gets the volume of its name: this one no image can know, nor another `app add` have.
  const name = `volume-${randomUUID()}`;
  const options = readOnly ? ',readOnly=true' : '';
  return {
    volume: `${name},kind=host,source=${path}${options}`,
    mount: `volume=${name},target=${target}`,
  };
}

function split(field: string): [string, string] {
  const equals = field.indexOf('=');
  return equals < 0 ? [field, ''] : [field.slice(0, equals), field.slice(equals + 1)];
}

function safe(text: string): string {
  return quote(text, { marks: false });
}
