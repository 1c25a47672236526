// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { execute } from '../src/execute.ts';
import { packages, root } from '../src/project.ts';

interface Bom {
  readonly metadata: { readonly component: { readonly hashes: readonly [{ readonly content: string }] } };
  readonly components: readonly BomComponent[];
}

interface BomComponent {
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly components?: readonly BomComponent[];
}

const temporary = mkdtempSync(join(tmpdir(), 'rkt-executable-'));
const [first, second] = [join(temporary, 'first'), join(temporary, 'second')];
const release = join(first, 'release');
const name = `rkt-linux-${process.arch}`;

beforeAll(() => {
  build(first, root);
  build(second, tmpdir());
});
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

function build(output: string, cwd: string): void {
  const options = ['--conditions=@rkt/source', '--disable-warning=ExperimentalWarning'];
  execute(process.execPath, [...options, join(root, 'apps/cli/build/build.ts'), `--output=${output}`], { cwd });
}

function bom(): Bom {
  return JSON.parse(readFileSync(join(release, `${name}.cdx.json`), 'utf8'));
}

describe('two builds', () => {
  it('leave the same files, wherever they were made', () => {
    const files = readdirSync(release);
    expect(files.sort()).toEqual(['SHA256SUMS', name, `${name}.cdx.json`, `${name}.licenses.txt`]);
    for (const file of files) {
      execFileSync('cmp', [join(release, file), join(second, 'release', file)]);
    }
  });

  it('have no path of this machine in them', () => {
    for (const file of readdirSync(release)) {
      expect(firstOccurrence(join(release, file), root.replace(/\/$/, '')), file).toBe(-1);
      expect(firstOccurrence(join(release, file), temporary), file).toBe(-1);
    }
    // The search finds what is there.
    expect(firstOccurrence(join(release, name), 'rkt Version: ')).toBeGreaterThan(0);
  });
});

describe('the files of a release', () => {
  it('have checksums that hold, and fail for other bytes', () => {
    const check = () => execute('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: join(second, 'release') });
    expect(check().trim().split('\n')).toHaveLength(3);
    writeFileSync(join(second, 'release', `${name}.cdx.json`), '{}');
    expect(check).toThrow(/FAILED/);
  });

  it('name the executable and everything inside it', () => {
    const { metadata, components } = bom();
    const [sum = ''] = execFileSync('sha256sum', [join(release, name)], { encoding: 'utf8' }).split(' ');
    expect(metadata.component.hashes[0].content).toBe(sum);
    const names = components.map((component) => component.name);
    const ours = packages.map((dir) => JSON.parse(readFileSync(join(root, dir, 'package.json'), 'utf8')).name);
    const others = [
      `node-linux-${process.arch}`,
      `@koromix/koffi-linux-${process.arch}`,
      'undici',
      'smol-toml',
      'openpgp',
      'aws4fetch',
    ];
    expect(names).toEqual(expect.arrayContaining([...ours, ...others]));
    expect(names).not.toContain('esbuild');
    expect(new Set(components.map(({ purl }) => purl)).size).toBe(components.length);
    const node = components.find((component) => component.name === `node-linux-${process.arch}`);
    expect(node?.version).toBe(process.versions.node);
    expect(node?.components).toContainEqual(
      expect.objectContaining({ name: 'openssl', version: process.versions.openssl }),
    );
  });

  it('have the licence of every component', () => {
    const text = readFileSync(join(release, `${name}.licenses.txt`), 'utf8');
    for (const { name: component, version } of bom().components) expect(text).toContain(`\n${component} ${version}: `);
    expect(text).toContain('Permission is hereby granted');
    expect(text).toContain('OpenSSL');
  });
});

/** Where a text occurs in a file for the first time, or -1; in pieces, because the file is large. */
function firstOccurrence(file: string, text: string): number {
  const piece = Buffer.alloc(16 * 1024 * 1024);
  const fd = openSync(file, 'r');
  try {
    for (let position = 0; ; position += piece.length - text.length) {
      const length = readSync(fd, piece, 0, piece.length, position);
      const found = piece.subarray(0, length).indexOf(text);
      if (found >= 0) return position + found;
      if (length < piece.length) return -1;
    }
  } finally {
    closeSync(fd);
  }
}
