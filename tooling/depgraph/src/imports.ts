// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

export interface ImportSite {
  /** Relative to the repository's root. */
  readonly file: string;
  readonly specifier: string;
}

/** Every module specifier below `dir`: imports, re-exports, dynamic imports and type imports. */
export function importsBelow(root: string, dir: string): readonly ImportSite[] {
  return readdirSync(join(root, dir), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .flatMap((name) =>
      importsOf(readFileSync(join(root, dir, name), 'utf8')).map((specifier) => ({ file: join(dir, name), specifier })),
    );
}

export function importsOf(source: string): readonly string[] {
  return ts.preProcessFile(source, true, true).importedFiles.map(({ fileName }) => fileName);
}
