// SPDX-License-Identifier: Apache-2.0
import type { ClientRow } from '../client/measure-client.ts';
import { table } from './table.ts';

export const CLIENT_TITLE = '## Registry client';

/** The rows of `@rkt/registry` by itself, as rates, so that images of any size compare. */
export function clientSection(rows: readonly ClientRow[], rounds: number): readonly string[] {
  const tools = [...(rows[0]?.results.keys() ?? [])];
  return [
    CLIENT_TITLE,
    '',
    `MB/s / CPU s per GB / peak RSS MB, medians of ${rounds} interleaved rounds. All layers of an image from the same registry:`,
    '`@rkt/registry` verifies and discards them, skopeo copies them to a directory, curl and openssl receive and hash them one',
    'after the other. The memory of the last is that of the larger of its two processes.',
    '',
    ...table(
      ['', ...tools, 'rate / skopeo’s', 'CPU / that of curl + openssl'],
      rows.map((row) => [row.what, ...tools.map((tool) => cell(row, tool)), ...ratios(row)]),
    ),
    '',
  ];
}

function cell({ results, bytes }: ClientRow, tool: string): string {
  const sample = results.get(tool);
  if (sample === undefined) return '–';
  const rate = bytes / 1e6 / sample.wall;
  const cpu = sample.cpu === undefined ? '–' : (sample.cpu / (bytes / 1e9)).toFixed(2);
  return `${rate.toFixed(0)} / ${cpu} / ${sample.rss?.toFixed(0) ?? '–'}`;
}

function ratios({ results }: ClientRow): readonly string[] {
  const [ours, skopeo, least] = [...results.values()];
  const rate = (skopeo?.wall ?? Number.NaN) / (ours?.wall ?? Number.NaN);
  const cpu = (ours?.cpu ?? Number.NaN) / (least?.cpu ?? Number.NaN);
  return [rate.toFixed(2), cpu.toFixed(2)];
}
