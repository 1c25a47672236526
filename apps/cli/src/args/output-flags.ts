// SPDX-License-Identifier: Apache-2.0
import { parseDuration } from './duration.ts';
import type { FlagSpec } from './flag.ts';

/* Flags that several commands have. */

export const noLegend: FlagSpec = {
  name: 'no-legend',
  kind: 'boolean',
  default: 'false',
  summary: 'leave out the header',
};

export const full: FlagSpec = { name: 'full', kind: 'boolean', default: 'false', summary: 'show values in full' };

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
