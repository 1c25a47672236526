// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path';
import type { ImportSite } from './imports.ts';
import { impurities } from './purity.ts';
import { confined, mayImport } from './rules.ts';

/** What breaks the rules among the imports of one package's sources; an empty list is what the build demands. */
export function violations(dir: string, sites: readonly ImportSite[]): readonly string[] {
  const name = posix.basename(dir);
  return [
    ...sites.flatMap((site) => [...crossPackage(name, site), ...leavesPackage(dir, site), ...unconfined(site)]),
    ...impurities(sites),
    ...unusedLeave(dir, sites),
  ];
}

function crossPackage(name: string, { file, specifier }: ImportSite): readonly string[] {
  const match = /^@rkt\/([a-z0-9-]+)(\/.*)?$/.exec(specifier);
  if (match === null) return [];
  const [, target = '', subpath = ''] = match;
  const found: string[] = [];
  if (!(mayImport[name] ?? []).includes(target)) found.push(`${file}: ${name} must not import ${specifier}`);
  if (subpath !== '') found.push(`${file}: ${specifier} is not for sources: only a package's main entry is`);
  return found;
}

function leavesPackage(own: string, { file, specifier }: ImportSite): readonly string[] {
  if (!specifier.startsWith('.')) return [];
  const target = posix.join(posix.dirname(file), specifier);
  return target.startsWith(`${own}/src/`) ? [] : [`${file}: ${specifier} leaves the package's sources`];
}

function unconfined({ file, specifier }: ImportSite): readonly string[] {
  const rooms = confined[specifier];
  if (rooms === undefined || rooms.some((room) => file.startsWith(`${room}/`) || file === `${room}.ts`)) return [];
  return [`${file}: only ${rooms.join(', ')} may import ${specifier}`];
}

function unusedLeave(dir: string, sites: readonly ImportSite[]): readonly string[] {
  const allowed = mayImport[posix.basename(dir)];
  if (allowed === undefined) return [`${dir}: is not in the table of tooling/depgraph/src/rules.ts`];
  const used = new Set(sites.map(({ specifier }) => specifier));
  return allowed
    .filter((target) => !used.has(`@rkt/${target}`))
    .map(
      (target) =>
        `${dir}: may import @rkt/${target} but does not; take the leave back in tooling/depgraph/src/rules.ts`,
    );
}
