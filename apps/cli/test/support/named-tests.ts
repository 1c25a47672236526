// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';

const root = new URL('../../../../', import.meta.url);

/** A test that a document names. */
export interface NamedTest {
  /** From the root of the repository. */
  readonly file: string;
  readonly name: string;
}

/** The tests in a cell of a table: a file in backquotes and the name of the test, lines apart. */
export function namedTests(cell: string): readonly NamedTest[] {
  return Array.from(cell.matchAll(/`([^`]+)` (.*?)(?:<br>|$)/g), ([, file = '', name = '']) => ({ file, name }));
}

/** Fails unless the file is there and has a test, or a row of a table of tests, of that name. */
export function requireTest({ file, name }: NamedTest): void {
  const text = readFileSync(new URL(file, root), 'utf8');
  const isThere = ["'", '"', '`'].some((mark) => text.includes(`${mark}${name}${mark}`));
  expect(isThere, `${file}: ${name}`).toBe(true);
}
