// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path';
import type { ImportSite } from './imports.ts';
import { confined, mayImport, packageDirs, pureRooms } from './rules.ts';

/** What breaks the rules among the imports of one package's sources; an empty list is what the build demands. */
export function violations(name: string, sites: readonly ImportSite[]): readonly string[] {
  const own = packageDirs[name] ?? name;
  return [
    ...sites.flatMap((site) => [
      ...crossPackage(name, site),
      ...leavesPackage(own, site),
      ...impure(site),
      ...unconfined(site),
    ]),
    ...unusedLeave(name, sites),
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

function impure({ file, specifier }: ImportSite): readonly string[] {
  if (!specifier.startsWith('node:')) return [];
  return Object.entries(pureRooms)
    .filter(([room, allowed]) => file.startsWith(`${room}/`) && !allowed.includes(specifier))
    .map(([room]) => `${file}: ${room} is pure and must not import ${specifier}`);
}

function unconfined({ file, specifier }: ImportSite): readonly string[] {
  const rooms = confined[specifier];
  if (rooms === undefined || rooms.some((room) => file.startsWith(`${room}/`) || file === `${room}.ts`)) return [];
  return [`${file}: only ${rooms.join(', ')} may import ${specifier}`];
}

function unusedLeave(name: string, sites: readonly ImportSite[]): readonly string[] {
  const used = new Set(sites.map(({ specifier }) => specifier));
  return (mayImport[name] ?? [])
    .filter((target) => !used.has(`@rkt/${target}`))
    .map(
      (target) =>
        `${packageDirs[name]}: may import @rkt/${target} but does not; take the leave back in tooling/depgraph/src/rules.ts`,
    );
}
