// SPDX-License-Identifier: Apache-2.0
import { existsSync, globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import ts from 'typescript';

export interface PackedImports {
  /** Packages that modules and declarations import, without Node's own modules. */
  readonly packages: ReadonlySet<string>;
  /** Imports of files that are not in the package. */
  readonly missing: readonly string[];
}

/** What the modules and declarations of an unpacked package import. */
export function packedImports(dir: string): PackedImports {
  const packages = new Set<string>();
  const missing: string[] = [];
  for (const file of globSync('dist/**/*.{js,d.ts}', { cwd: dir })) {
    for (const { fileName: specifier } of ts.preProcessFile(readFileSync(join(dir, file), 'utf8')).importedFiles) {
      if (specifier.startsWith('.')) {
        if (!existsSync(targetOf(join(dir, file), specifier))) missing.push(`${file}: ${specifier}`);
      } else if (!isBuiltin(specifier)) {
        packages.add(packageOf(specifier));
      }
    }
  }
  return { packages, missing };
}

/** Declarations name each other by their sources: `./part.ts` is `part.d.ts`. */
function targetOf(file: string, specifier: string): string {
  const target = join(dirname(file), specifier);
  return file.endsWith('.d.ts') ? target.replace(/(\.d)?\.[jt]s$/, '.d.ts') : target;
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
