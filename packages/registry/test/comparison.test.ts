// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const rows = readme
  .slice(readme.indexOf('## Compared'))
  .split('\n')
  .filter((line) => line.startsWith('| ') && line.includes('.test.ts'))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

describe('the comparison in the README', () => {
  it('has rows', () => expect(rows.length).toBeGreaterThan(10));

  it.each(rows.map((row) => [row[0], row.at(-1)]))('%s is shown by a test that exists', (_what, shown) => {
    const [, file = '', title = ''] = /^`([^`]+)`: (.+)$/.exec(shown ?? '') ?? [];
    expect(readFileSync(new URL(file, import.meta.url), 'utf8')).toContain(`'${title}'`);
  });
});
