// SPDX-License-Identifier: Apache-2.0
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { namedTests, requireTest } from './support/named-tests.ts';

const root = new URL('../../../', import.meta.url);
const document = readFileSync(new URL('docs/threats.md', root), 'utf8');

/** The rows of tables with tests, and of those without. */
const rows = document
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (threat|-)/.test(line))
  .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
  .map(([, threat = '', answer = '', tests]) => ({ threat, answer, tests }));

const ADVISORY = /CVE-\d{4}-\d{4,}|GHSA(?:-[0-9a-z]{4}){3}/g;

function filesThat(pattern: string): readonly string[] {
  return globSync(pattern, { cwd: fileURLToPath(root) }).filter((path) => !path.includes('node_modules'));
}

describe('the tables of threats', () => {
  it('have rows', () => expect(rows.length).toBeGreaterThan(60));

  it.each(rows)('say what is done about it, and by which tests it is shown: $threat', ({ answer, tests }) => {
    expect(answer.length).toBeGreaterThan(3);
    // In a table without that column the answer is the reason why there are none.
    if (tests === '' || tests === undefined) return expect(answer.length).toBeGreaterThan(20);
    const named = namedTests(tests);
    expect(named).toHaveLength(tests.split('<br>').length);
    for (const test of named) requireTest(test);
    return undefined;
  });

  it('have tests in every row of a table with that column', () => {
    const bare = rows.filter(({ tests }) => tests !== undefined && tests !== '' && namedTests(tests).length === 0);
    expect(bare).toEqual([]);
  });

  it('have every advisory that code or tests name', () => {
    const sources = ['packages/*/{src,test}/**/*.ts', 'apps/*/{src,test}/**/*.ts', 'tests/*/test/*.ts'].flatMap(
      filesThat,
    );
    expect(sources.length).toBeGreaterThan(300);
    const named = sources.flatMap((path) => readFileSync(new URL(path, root), 'utf8').match(ADVISORY) ?? []);
    const known = new Set(document.match(ADVISORY));
    expect([...new Set(named)].filter((advisory) => !known.has(advisory))).toEqual([]);
  });

  it('name libraries that nothing that is shipped depends on', () => {
    const manifests = filesThat('{packages,apps}/*/package.json').map((path) =>
      readFileSync(new URL(path, root), 'utf8'),
    );
    expect(manifests.length).toBeGreaterThan(5);
    for (const manifest of manifests) {
      const { dependencies = {} } = JSON.parse(manifest);
      expect(Object.keys(dependencies).filter((name) => /^tar(-|$)/.test(name))).toEqual([]);
    }
  });
});
