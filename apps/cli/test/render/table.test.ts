// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { formatBytes } from '../../src/render/bytes.ts';
import { renderTable } from '../../src/render/table.ts';
import { formatAgo, formatMoment, nanoseconds } from '../../src/render/time.ts';

describe('a table', () => {
  it('pads columns with tabs to the tab stop after the widest cell, the last column not at all', () => {
    const rows = [
      ['ID', 'NAME', 'SIZE', 'IMPORT TIME', 'LAST USED'],
      ['sha512-77f008e4cd98', '127.0.0.1_5501/library/busybox:latest', '4.4MiB', '2 seconds ago', '2 seconds ago'],
      ['sha512-d3ea28f242b8', 'library/busybox:latest', '8.7MiB', '1 second ago', '1 second ago'],
    ];
    expect(renderTable(rows)).toBe(
      'ID\t\t\tNAME\t\t\t\t\tSIZE\tIMPORT TIME\tLAST USED\n' +
        'sha512-77f008e4cd98\t127.0.0.1_5501/library/busybox:latest\t4.4MiB\t2 seconds ago\t2 seconds ago\n' +
        'sha512-d3ea28f242b8\tlibrary/busybox:latest\t\t\t8.7MiB\t1 second ago\t1 second ago\n',
    );
  });

  it('with empty cells keeps their columns', () => {
    const rows = [
      ['UUID', 'APP', 'STATE'],
      ['0398a026', 'busybox', ''],
      ['', 'etcd', ''],
    ];
    expect(renderTable(rows)).toBe('UUID\t\tAPP\tSTATE\n0398a026\tbusybox\t\n\t\tetcd\t\n');
  });

  it('never prints what a terminal would act on', () => {
    expect(renderTable([['a\u001b]0;x\u0007b', 'c\nd\te']])).toBe('a ]0;x b\tc d e\n');
  });

  it('without rows is nothing', () => {
    expect(renderTable([])).toBe('');
  });
});

describe('bytes', () => {
  it.each([
    [0, '0B'],
    [512, '512B'],
    [1024, '1.0KiB'],
    [110_051, '108KiB'],
    [4_656_128, '4.4MiB'],
    [15_508_739, '15MiB'],
    [34_700_078, '33MiB'],
    [10_475_274, '10MiB'],
    [3 * 1024 ** 3, '3.0GiB'],
  ])('%d are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe('times', () => {
  const now = Date.UTC(2026, 5, 1);
  it.each([
    [0, 'now'],
    [999, 'now'],
    [1000, '1 second ago'],
    [59_999, '59 seconds ago'],
    [60_000, '1 minute ago'],
    [7_200_000, '2 hours ago'],
    [86_400_000, '1 day ago'],
    [86_400_000 * 8, '1 week ago'],
    [86_400_000 * 65, '2 months ago'],
    [86_400_000 * 800, '2 years ago'],
    [-120_000, '2 minutes from now'],
  ])('%d ms back are %s', (back, text) => {
    expect(formatAgo(now - back, now)).toBe(text);
  });

  it('are printed as Go prints them, without zeros at the end of the fraction', () => {
    const zone = process.env['TZ'];
    try {
      process.env['TZ'] = 'UTC';
      expect(formatMoment(Date.UTC(2026, 10, 23, 15, 9, 1, 390))).toBe('2026-11-23 15:09:01.39 +0000 UTC');
      expect(formatMoment(Date.UTC(2026, 10, 23, 15, 9, 1, 0))).toBe('2026-11-23 15:09:01 +0000 UTC');
      process.env['TZ'] = 'Europe/Berlin';
      expect(formatMoment(Date.UTC(2016, 0, 25, 16, 42, 32, 563))).toBe('2016-01-25 17:42:32.563 +0100 CET');
    } finally {
      if (zone === undefined) delete process.env['TZ'];
      else process.env['TZ'] = zone;
    }
  });

  it('in nanoseconds are whole numbers in JSON', () => {
    expect(JSON.stringify(nanoseconds(1_795_446_537_048))).toBe('1795446537048000000');
  });
});
