// SPDX-License-Identifier: Apache-2.0
import type { Row } from '../suites.ts';

const width = 720;
const barHeight = 16;
const labelWidth = 170;
const palette = ['#1b6e53', '#b0b7bf', '#c9a227', '#7a8ba3'];

/** Bars of wall time relative to podman's, one group an image, as a standalone SVG that is legible on light and dark. */
export function svg(rows: readonly Row[]): string {
  const bars = rows.flatMap((row, group) => groupBars(row, group));
  const perGroup = Math.max(...rows.map(({ results }) => results.size));
  const height = rows.length * (perGroup * barHeight + 18) + 30;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<title>cold fetch: wall time as a share of podman's</title>`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    `<text x="8" y="18" font-weight="bold" fill="#222222">cold fetch: wall time as a share of podman's</text>`,
    ...bars,
    '</svg>',
    '',
  ].join('\n');
}

function groupBars({ what, results }: Row, group: number): readonly string[] {
  const podman = results.get('podman')?.wall ?? 1;
  const top = 30 + group * (results.size * barHeight + 18);
  const scale = (width - labelWidth - 140) / 1.6;
  return [...results].flatMap(([tool, sample], index) => {
    if (sample === undefined) return [];
    const y = top + index * barHeight;
    const ratio = sample.wall / podman;
    const length = Math.max(1, Math.min(ratio, 1.6) * scale);
    const label = index === 0 ? [`<text x="8" y="${y + 12}" fill="#222222">${escapeText(what)}</text>`] : [];
    return [
      ...label,
      `<rect x="${labelWidth}" y="${y + 1}" width="${length.toFixed(1)}" height="${barHeight - 3}" fill="${palette[index % palette.length]}"/>`,
      `<text x="${(labelWidth + length + 6).toFixed(1)}" y="${y + 12}" fill="#222222">${escapeText(tool)} ${ratio.toFixed(2)} (${sample.wall.toFixed(2)} s)</text>`,
    ];
  });
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
