// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { chooseRange, rangeSize } from '../../src/users/choose-range.ts';
import { readIdTables } from '../../src/users/id-tables.ts';

const nothing = { subuid: undefined, subgid: undefined, passwd: undefined, group: undefined };
const free = (): boolean => false;

it('takes ids for containers, where the pod’s id says, and the next ones when those are taken', () => {
  const tables = readIdTables(nothing);
  expect(chooseRange(tables, { start: 0, isTaken: free })).toEqual({ first: 0x80000, count: rangeSize });
  expect(chooseRange(tables, { start: 3, isTaken: free })?.first).toBe(0x80000 + 3 * rangeSize);
  const isTaken = ({ first }: { readonly first: number }): boolean => first < 0x80000 + 2 * rangeSize;
  expect(chooseRange(tables, { start: 0, isTaken })?.first).toBe(0x80000 + 2 * rangeSize);
  expect(chooseRange(tables, { start: 0, isTaken: () => true })).toBeUndefined();
});

it('leaves alone what tables give to others, in part or whole', () => {
  const subuid = `alice:100000:65536\nbob:${0x80000 + 10}:5\n`;
  const subgid = `carol:${0x80000 + rangeSize}:${rangeSize}\n`;
  const passwd = `dave:x:${0x80000 + 2 * rangeSize}:100::/:/bin/sh\n`;
  const group = `eve:x:${0x80000 + 4 * rangeSize - 1}:\n`;
  const tables = readIdTables({ subuid, subgid, passwd, group });
  expect(chooseRange(tables, { start: 0, isTaken: free })?.first).toBe(0x80000 + 4 * rangeSize);
});

it('keeps to what tables give to rkt, for users and groups both', () => {
  const subuid = 'rkt:200000:200000\n';
  const tables = readIdTables({ ...nothing, subuid, subgid: 'rkt:231072:1000000\n' });
  const firsts = [0, 1, 2].map((start) => chooseRange(tables, { start, isTaken: free })?.first);
  expect(firsts).toEqual([231_072, 296_608, 231_072]);
  for (const subgid of ['rkt:500000:65536\n', undefined, 'rkt:200000:65535\n']) {
    const tight = readIdTables({ ...nothing, subuid, subgid });
    const range = chooseRange(tight, { start: 7, isTaken: free });
    // Users without groups are as none.
    expect(range?.first).toBe(subgid?.includes('65535') ? undefined : 0x80000 + 7 * rangeSize);
  }
});

it('never takes users of the host, whatever the tables and wherever it begins', () => {
  const id = fc.nat(2 ** 32 - 1);
  const line = fc.tuple(fc.constantFrom('rkt', 'alice', ''), id, id).map((fields) => `${fields.join(':')}\n`);
  const text = fc.array(fc.oneof(line, fc.string())).map((lines) => lines.join(''));
  fc.assert(
    fc.property(text, text, id, (subuid, subgid, start) => {
      const range = chooseRange(readIdTables({ ...nothing, subuid, subgid }), { start, isTaken: free });
      if (range === undefined) return;
      expect(range.first).toBeGreaterThanOrEqual(65_536);
      // The last id of all means none.
      expect(range.first + range.count).toBeLessThan(2 ** 32);
      expect(range.count).toBe(rangeSize);
    }),
  );
});

it('takes damaged lines for none', () => {
  const subuid = 'rkt\nrkt:1\nrkt:-5:65536\nrkt:a:b\n:::\nrkt:99999999999:1\n';
  expect(readIdTables({ ...nothing, subuid, subgid: subuid })).toEqual({ delegated: [], foreign: [] });
});
