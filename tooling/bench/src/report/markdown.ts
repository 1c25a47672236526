// SPDX-License-Identifier: Apache-2.0
import type { ClientRow } from '../client/measure-client.ts';
import type { Sample } from '../measure.ts';
import type { PodRow } from '../pods/measure-pods.ts';
import type { DiskRow, Row } from '../suites.ts';
import { CLIENT_TITLE, clientSection } from './client-table.ts';
import { PODS_TITLE, podSection } from './pod-table.ts';
import { table } from './table.ts';

/** Everything one run of the bench found. */
export interface Results {
  readonly date: string;
  readonly machine: string;
  readonly versions: readonly string[];
  readonly rounds: number;
  readonly cold: readonly Row[];
  readonly first: readonly Row[];
  readonly warm: readonly Row[];
  readonly run: readonly Row[];
  readonly disk: readonly DiskRow[];
  readonly client: readonly ClientRow[];
  readonly pods: readonly PodRow[];
}

/** docs/performance.md. Seconds are of one machine at one time: the ratios are what counts. */
export function markdown(results: Results): string {
  return [
    '# Performance',
    '',
    'Written by `npm run bench`: medians of interleaved runs on a fresh journaled disk, images from Debian’s docker-registry',
    `on loopback. Absolute times belong to the machine of that day (${results.machine}, ${results.date}, ${results.rounds}`,
    'rounds); the ratios to podman in the same run are what counts. Each round begins with another tool.',
    '',
    'CPU and memory are of the command and of the children it waits for. ctr’s work is done by its daemon, so its are left',
    'out (–). Those of podman’s runs are without conmon and runc, which it does not wait for.',
    '',
    '![cold fetch, wall time as a share of podman’s](performance.svg)',
    '',
    ...section('Fetch into an empty store', results.cold, [
      'podman, umoci and ctr end with a root filesystem that is ready to run; rkt leaves the metadata of its own to the first',
      'run, which the next table counts.',
    ]),
    ...section('From an empty store to the end of a first `true`', results.first, [
      'A fetch, a run on the host’s network, and the removal of what the run leaves.',
    ]),
    ...section('Fetch what is there already', results.warm, []),
    ...section('Run `true` from a stored image', results.run, [
      `Medians of ${results.rounds * 3} rounds. The removal of what the run leaves is in all of them, by \`--rm\`.`,
    ]),
    '## Disk',
    '',
    'Bytes the store takes after the cold fetch, in MB.',
    '',
    ...table(
      ['image', ...toolsOf(results.disk.map(({ bytes }) => bytes))],
      results.disk.map(({ what, bytes }) => [what, ...[...bytes.values()].map((value) => (value / 1e6).toFixed(1))]),
    ),
    '',
    ...clientSection(results.client, results.rounds),
    ...podSection(results.pods, results.rounds),
    '## Versions',
    '',
    ...results.versions.map((version) => `- ${version}`),
    '',
  ].join('\n');
}

/** An earlier document with the registry client's section written anew and all else, versions included, as it was. */
export function withClientSection(document: string, rows: readonly ClientRow[], rounds: number): string {
  return withSection(document, CLIENT_TITLE, clientSection(rows, rounds));
}

/** The same of the pods'. */
export function withPodSection(document: string, rows: readonly PodRow[], rounds: number): string {
  return withSection(document, PODS_TITLE, podSection(rows, rounds));
}

function withSection(document: string, title: string, section: readonly string[]): string {
  const lines = document.split('\n');
  const isHeading = (line: string) => line.startsWith('## ');
  const found = lines.indexOf(title);
  const start = found < 0 ? lines.indexOf('## Versions') : found;
  if (start < 0) throw new Error(`the document has no place for "${title}"`);
  const end = found < 0 ? start : lines.findIndex((line, index) => index > start && isHeading(line));
  return [...lines.slice(0, start), ...section, ...lines.slice(end)].join('\n');
}

function section(title: string, rows: readonly Row[], notes: readonly string[]): readonly string[] {
  const tools = toolsOf(rows.map(({ results }) => results));
  return [
    `## ${title}`,
    '',
    'Wall s / CPU s / peak RSS MB; in parentheses wall time as a share of podman’s.',
    ...notes,
    '',
    ...table(
      ['', ...tools],
      rows.map(({ what, results }) => [what, ...tools.map((tool) => cell(results.get(tool), results.get('podman')))]),
    ),
    '',
  ];
}

function cell(sample: Sample | undefined, podman: Sample | undefined): string {
  if (sample === undefined) return '–';
  const ratio = podman === undefined || sample === podman ? '' : ` (${(sample.wall / podman.wall).toFixed(2)})`;
  const figures = [sample.wall.toFixed(2), sample.cpu?.toFixed(2) ?? '–', sample.rss?.toFixed(0) ?? '–'];
  return `${figures.join(' / ')}${ratio}`;
}

function toolsOf(rows: readonly ReadonlyMap<string, unknown>[]): readonly string[] {
  return [...(rows[0]?.keys() ?? [])];
}
