// SPDX-License-Identifier: Apache-2.0
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** One module that consumers import, and the report of what it offers them. */
export interface ApiEntry {
  /** Directory of the package. */
  readonly packageDir: string;
  /** The compiled declarations. */
  readonly declarations: string;
  /** File name of the report in the package's `etc/`. */
  readonly report: string;
}

interface Manifest {
  readonly exports?: Readonly<Record<string, string | { readonly types: string }>>;
}

/** Every entry with types of every library in `packages/`, from the `exports` of its manifest. */
export function apiEntries(root: string): readonly ApiEntry[] {
  return globSync('packages/*/package.json', { cwd: root })
    .sort()
    .flatMap((file) => entriesOf(join(root, file, '..')));
}

/** The entries of one package. */
export function entriesOf(packageDir: string): readonly ApiEntry[] {
  const { exports = {} }: Manifest = JSON.parse(readFileSync(join(packageDir, 'package.json'), 'utf8'));
  return Object.entries(exports).flatMap(([path, target]) => {
    if (typeof target === 'string') return [];
    const report = `${[basename(packageDir), ...path.split('/').slice(1)].join('-')}.api.md`;
    return [{ packageDir, declarations: join(packageDir, target.types), report }];
  });
}
