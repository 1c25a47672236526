// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { type ApiEntry, entriesOf } from '../src/entries.ts';
import { apiReport, isCurrent, reportFile, writeReport } from '../src/report.ts';

const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
});

function packageOf(declarations: Readonly<Record<string, string>>): readonly ApiEntry[] {
  const dir = mkdtempSync(join(tmpdir(), 'rkt-api-test-'));
  dirs.push(dir);
  const packageDir = join(dir, 'sample');
  mkdirSync(join(packageDir, 'dist', 'testing'), { recursive: true });
  const exports = {
    '.': { types: './dist/index.d.ts', default: './dist/index.js' },
    './testing': { types: './dist/testing/index.d.ts', default: './dist/testing/index.js' },
    './package.json': './package.json',
  };
  writeFileSync(join(packageDir, 'package.json'), JSON.stringify({ name: 'sample', version: '1.0.0', exports }));
  for (const [file, text] of Object.entries(declarations)) writeFileSync(join(packageDir, 'dist', file), text);
  return entriesOf(packageDir);
}

it('reports every entry with types under a name of its own', () => {
  const entries = packageOf({});
  expect(entries.map(({ report }) => report)).toEqual(['sample.api.md', 'sample-testing.api.md']);
});

it('finds a changed signature, and nothing in a changed comment', () => {
  const [entry] = packageOf({ 'index.d.ts': 'export declare function read(text: string): number;\n' });
  expect(isCurrent(entry!)).toBe(false);
  writeReport(entry!);
  expect(isCurrent(entry!)).toBe(true);
  writeFileSync(entry!.declarations, '// A remark.\nexport declare function read(text: string): number;\n');
  expect(isCurrent(entry!)).toBe(true);
  writeFileSync(entry!.declarations, 'export declare function read(text: string, radix?: number): number;\n');
  expect(isCurrent(entry!)).toBe(false);
  expect(readFileSync(reportFile(entry!), 'utf8')).not.toContain('radix');
});

it('follows imports that name TypeScript files', () => {
  const [entry] = packageOf({
    'index.d.ts': "export { type Part } from './part.ts';\n",
    'part.d.ts': 'export interface Part { readonly size: number }\n',
  });
  expect(apiReport(entry!)).toContain('readonly size: number');
});

it('shows a type that the API uses and does not export', () => {
  const [entry] = packageOf({
    'index.d.ts': "import { Part } from './part.ts';\nexport declare function read(): Part;\n",
    'part.d.ts': 'export interface Part { readonly size: number }\n',
  });
  expect(apiReport(entry!)).toContain('The symbol "Part" needs to be exported');
});

it('says which declarations are missing', () => {
  const [entry] = packageOf({});
  expect(() => apiReport(entry!)).toThrow(/sample\/dist\/index\.d\.ts/);
});
