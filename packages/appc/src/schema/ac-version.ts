// SPDX-License-Identifier: Apache-2.0
import { type FieldParser, stringOf } from './json-fields.ts';

/** Version of the appc spec that manifests made here state. */
export const acVersion = '0.8.11';

/** Any semantic version: manifests of every version are read as if they were of this one, as rkt reads them. */
export const acVersionField: FieldParser<string> = stringOf(
  (text) => /^\d{1,9}\.\d{1,9}\.\d{1,9}(?:[-+][0-9A-Za-z.+-]{1,64})?$/.test(text),
  'a semantic version',
);
