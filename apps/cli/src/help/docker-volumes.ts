// SPDX-License-Identifier: Apache-2.0
import { quote } from '../render/quote.ts';

/** What docker's `--mount` says, or its `--volume`. */
interface DockerVolume {
  /** A path of the host, or undefined for a volume of docker's. */
  readonly source: string | undefined;
  readonly target: string;
  readonly readOnly: boolean;
}

/** How `type=bind,source=/a,target=/b` is written here; undefined if it is not of that kind. */
export function dockerMountHint(text: string): string | undefined {
  const fields = new Map(text.split(',').map((field) => split(field)));
  const target = fields.get('target') ?? fields.get('dst') ?? fields.get('destination');
  if (fields.has('volume') || target === undefined) return undefined;
  if (!['type', 'source', 'src'].some((name) => fields.has(name))) return undefined;
  const named = fields.get('source') ?? fields.get('src') ?? '';
  const source = fields.get('type') === 'bind' || isPath(named) ? absolute(named) : undefined;
  const readOnly = [fields.get('readonly'), fields.get('ro')].some((value) => value === '' || value === 'true');
  return written({ source, target, readOnly });
}

/** How `/a:/b[:ro]` is written here; undefined if it is not of that kind. */
export function dockerVolumeHint(text: string): string | undefined {
  const [, from = '', target = '', options = ''] = /^([^:,]+):(\/[^:,]*)(?::([a-zA-Z,]+))?$/.exec(text) ?? [];
  if (target === '') return undefined;
  return written({
    source: isPath(from) ? absolute(from) : undefined,
    target,
    readOnly: options.split(',').includes('ro'),
  });
}

/** Docker takes anything else for the name of a volume. */
function isPath(source: string): boolean {
  return /^[/.~]/.test(source);
}

/** What is relative to a directory nobody knows later is left to be filled in. */
function absolute(source: string): string {
  return source.startsWith('/') ? source : '/PATH';
}

function split(field: string): [string, string] {
  const equals = field.indexOf('=');
  return equals < 0 ? [field, ''] : [field.slice(0, equals), field.slice(equals + 1)];
}

function written({ source, target, readOnly }: DockerVolume): string {
  const kind = source === undefined ? 'kind=empty' : `kind=host,source=${source}`;
  const line = `--volume=NAME,${kind}${readOnly ? ',readOnly=true' : ''} --mount=volume=NAME,target=${target}`;
  return quote(line, { marks: false });
}
