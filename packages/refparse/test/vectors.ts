// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';

/** The tab-separated rows of a vector file; the first field is a JSON string. */
export function readVectors(name: string): readonly (readonly string[])[] {
  const text = readFileSync(new URL(`./vectors/${name}`, import.meta.url), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [input = '""', ...rest] = line.split('\t');
      return [String(JSON.parse(input)), ...rest];
    });
}
