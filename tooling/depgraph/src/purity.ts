// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path';
import type { ImportSite } from './imports.ts';
import { pureRooms } from './rules.ts';

/** What makes pure rooms impure among the imports of one package's sources, by whatever detour. */
export function impurities(sites: readonly ImportSite[]): readonly string[] {
  const impure = impureFiles(sites);
  return sites.flatMap((site) => {
    const room = roomOf(site.file);
    if (room === undefined) return [];
    if (isImpureModule(site)) return [`${site.file}: ${room} is pure and must not import ${site.specifier}`];
    const reached = site.typeOnly ? undefined : impure.get(targetOf(site));
    return reached === undefined
      ? []
      : [`${site.file}: ${room} is pure and must not reach ${reached} through ${site.specifier}`];
  });
}

/** Files outside the pure rooms that do, themselves or through others, import what is not pure: with what that is. */
function impureFiles(sites: readonly ImportSite[]): ReadonlyMap<string, string> {
  const outside = sites.filter(({ file, typeOnly }) => roomOf(file) === undefined && !typeOnly);
  const impure = new Map<string, string>();
  for (const site of outside) if (isImpureModule(site)) impure.set(site.file, site.specifier);
  for (let known = -1; known < impure.size; ) {
    known = impure.size;
    for (const site of outside) {
      const reached = impure.get(targetOf(site));
      if (reached !== undefined && !impure.has(site.file)) impure.set(site.file, reached);
    }
  }
  return impure;
}

/** Node's modules, third parties' and packages of ours that are not pure; of the last, types may be used. */
function isImpureModule({ file, specifier, typeOnly }: ImportSite): boolean {
  if (specifier.startsWith('.')) return false;
  if (pureRooms[roomOf(file) ?? '']?.includes(specifier)) return false;
  const sibling = /^@rkt\/([a-z0-9-]+)/.exec(specifier)?.[1];
  return sibling === undefined || !(typeOnly || `packages/${sibling}/src` in pureRooms);
}

function roomOf(file: string): string | undefined {
  return Object.keys(pureRooms).find((room) => file.startsWith(`${room}/`));
}

function targetOf({ file, specifier }: ImportSite): string {
  return posix.join(posix.dirname(file), specifier);
}
