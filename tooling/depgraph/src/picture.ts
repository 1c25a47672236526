// SPDX-License-Identifier: Apache-2.0
import { mayImport } from './rules.ts';

const begin = '<!-- dependency graph: drawn by `npm run boundaries -- --write` -->';
const end = '<!-- end of dependency graph -->';

/** The packages and who imports whom, as a Mermaid diagram. Arrows that follow from longer paths are left out. */
export function picture(): string {
  const lines = Object.keys(mayImport).flatMap((name) =>
    directImports(name).map((target) => `  ${name} --> ${target}`),
  );
  return ['```mermaid', 'graph TD', ...lines, '```'].join('\n');
}

function directImports(name: string): readonly string[] {
  const targets = mayImport[name] ?? [];
  return targets.filter((target) => !targets.some((other) => other !== target && reaches(other, target)));
}

function reaches(from: string, to: string): boolean {
  return (mayImport[from] ?? []).some((next) => next === to || reaches(next, to));
}

/** `document` with the picture between its two marker comments. Throws when the markers are missing. */
export function withPicture(document: string): string {
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  if (from < 0 || to < from) throw new Error(`ARCHITECTURE.md lacks the comments ${begin} and ${end}`);
  return `${document.slice(0, from)}${begin}\n${picture()}\n${document.slice(to)}`;
}
