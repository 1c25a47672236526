// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** An npm package of which something is in the executable. */
export interface Component {
  readonly name: string;
  readonly version: string;
  /** SPDX expression. */
  readonly license: string;
  readonly directory: string;
}

interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly license?: string;
}

/** The packages that files belong to, each once, in the order of their names and versions. */
export function componentsOf(files: Iterable<string>): readonly Component[] {
  const components = new Map<string, Component>();
  for (const file of files) {
    const component = componentAt(dirname(file));
    components.set(component.directory, component);
  }
  const key = ({ name, version }: Component) => `${name}@${version}`;
  return [...components.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** The package a directory is in: the next `package.json` above that says who it is. */
function componentAt(directory: string): Component {
  const file = join(directory, 'package.json');
  if (existsSync(file)) {
    const { name, version, license }: Manifest = JSON.parse(readFileSync(file, 'utf8'));
    if (name !== undefined && version !== undefined) {
      if (license === undefined) throw new Error(`${file} names no license`);
      return { name, version, license, directory };
    }
  }
  if (dirname(directory) === directory) throw new Error('a bundled file is in no package');
  return componentAt(dirname(directory));
}

/** The licence texts of components; a package that brings none is named with its expression. */
export function licenseTexts(components: readonly Component[]): string {
  return components
    .map(({ name, version, license, directory }) => {
      const file = readdirSync(directory).find((entry) => /^licen[cs]e/i.test(entry));
      const text = file === undefined ? '' : `\n${readFileSync(join(directory, file), 'utf8').trim()}\n`;
      return `${'='.repeat(100)}\n${name} ${version}: ${license}\n${text}`;
    })
    .join('\n');
}
