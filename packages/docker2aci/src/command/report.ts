// SPDX-License-Identifier: Apache-2.0
import type { ImageManifest } from '@rkt/appc';
import { quote } from '../errors.ts';

/** What is said of a conversion on standard output, as the original says it. */
export function report({ app }: ImageManifest, files: readonly string[]): string {
  const volumes = (app?.mountPoints ?? []).map(
    ({ name, path, readOnly = false }) => `name: ${quote(name)}, path: ${quote(path)}, readOnly: ${readOnly}`,
  );
  const ports = (app?.ports ?? []).map(
    ({ name, protocol, port, count, socketActivated }) =>
      `name: ${quote(name)}, protocol: ${quote(protocol)}, port: ${port}, count: ${count}, socketActivated: ${socketActivated}`,
  );
  const generated = ['', 'Generated ACI(s):', ...files, ''].join('\n');
  return `${section('Converted volumes:', volumes)}${section('Converted ports:', ports)}${generated}`;
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `\n${title}\n${lines.map((line) => `\t${line}\n`).join('')}`;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** `45 B`, `2.21 MB`: thousands, three digits. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < UNITS.length - 1; unit += 1) value /= 1000;
  return `${unit === 0 ? value : value.toPrecision(3)} ${UNITS[unit]}`;
}
