// SPDX-License-Identifier: Apache-2.0
import { parseDuration } from './duration.ts';
import { type FlagSpec, refuseFalse } from './flag.ts';

/* Flags that several commands have. */

export const noLegend: FlagSpec = {
  name: 'no-legend',
  kind: 'boolean',
  default: 'false',
  summary: 'leave out the header',
};

export const full: FlagSpec = {
  name: 'full',
  aliases: ['no-trunc'],
  kind: 'boolean',
  default: 'false',
  summary: 'show values in full',
};

/** Of lists: what scripts go through. */
export const idsAlone: FlagSpec = {
  name: 'quiet',
  short: 'q',
  kind: 'boolean',
  default: 'false',
  summary: 'print IDs alone, one a line',
};

/** Of lists that leave nothing out. */
export const everything: FlagSpec = {
  name: 'all',
  short: 'a',
  kind: 'boolean',
  default: 'true',
  check: refuseFalse,
  summary: 'as it is in any case: the list leaves nothing out',
};

export const format: FlagSpec = {
  name: 'format',
  kind: 'text',
  placeholder: 'FORM',
  choices: ['json', 'json-pretty'],
  summary: 'print json or json-pretty instead',
};

export const prettyPrint: FlagSpec = {
  name: 'pretty-print',
  kind: 'boolean',
  default: 'true',
  summary: 'indent the JSON',
};

export const uuidFile: FlagSpec = {
  name: 'uuid-file',
  kind: 'text',
  placeholder: 'FILE',
  summary: 'read the UUID from a file',
};

/** A duration with a default. */
export function grace(name: string, value: string, summary: string): FlagSpec {
  return { name, kind: 'text', placeholder: 'DURATION', default: value, check: parseDuration, summary };
}

export const whichApp: FlagSpec = {
  name: 'app',
  kind: 'text',
  placeholder: 'NAME',
  summary: 'the app, if the pod has several',
};

/** Of what is written to a file or directory. */
export function overwrite(what: string): FlagSpec {
  return { name: 'overwrite', kind: 'boolean', default: 'false', summary: `replace the ${what} if it exists` };
}

/** Of an ACI that is written; with a default. */
export function compression(value: string): FlagSpec {
  return {
    name: 'compression',
    kind: 'text',
    placeholder: 'FORM',
    default: value,
    choices: ['none', 'gzip', 'zstd'],
    summary: 'how to pack an ACI: none, gzip or zstd',
  };
}
