// SPDX-License-Identifier: Apache-2.0
import { chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rktWith } from '../support/run-rkt.ts';

const USER = 54_321;
const UUID = '11111111-2222-4333-8444-555555555555';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-foreign-pods-'));
  mkdirSync(join(dir, 'data/pods/run', UUID), { recursive: true });
  chownSync(join(dir, 'data/pods'), USER, USER);
});
afterAll(() => rmSync(dir, { recursive: true }));

describe('pods in a directory of another user', () => {
  it.each([['gc'], ['stop', UUID], ['rm', UUID], ['list']])('are none to %s', async (...args) => {
    const { status, stdout, stderr } = await rktWith(dir)(...args);
    expect([status, stdout]).toEqual([254, '']);
    expect(stderr).toMatch(/^\w+: "\/.*\/data\/pods" belongs to the user with the ID 54321: use another [^\n]*\n$/);
  });
});
