// SPDX-License-Identifier: Apache-2.0
import { type Archive, closureOf, downloadClosure } from '../debian.ts';
import { directory, type Entry, file, packageEntries, symlink, writeTar } from '../layer.ts';
import type { LayerSource } from '../layout.ts';

/** What a small Debian image has: a shell, the core utilities and what its entrypoint scripts use. */
export const basePackages: readonly string[] = [
  'base-files',
  'base-passwd',
  'bash',
  'coreutils',
  'dash',
  'findutils',
  'grep',
  'libc-bin',
  'sed',
  'util-linux',
];

/** A base layer and what is needed to put further layers on it. */
export interface DebianBase {
  readonly archive: Archive;
  readonly packages: ReadonlySet<string>;
  readonly layer: LayerSource;
  /** The base's own /etc/passwd and /etc/group. */
  readonly passwd: string;
  readonly group: string;
}

/** Downloads the base and `packages` with everything they need and composes the base layer. */
export async function debianBase(packages: readonly string[], cacheDir: string): Promise<DebianBase> {
  const archive = downloadClosure([...basePackages, ...packages], cacheDir);
  const base = closureOf(archive, basePackages);
  const shipped = await packageEntries(archive, base);
  const passwd = textOf(shipped, 'usr/share/base-passwd/passwd.master');
  const group = textOf(shipped, 'usr/share/base-passwd/group.master');
  // Nothing twice in one layer: some tools refuse it.
  const own = [...skeleton(), file('etc/passwd', passwd), file('etc/group', group)];
  const stated = new Set(own.map(({ header }) => header.name));
  const entries = [...own, ...shipped.filter(({ header }) => !stated.has(header.name))];
  return {
    archive,
    packages: base,
    layer: { tar: await writeTar(entries), comment: 'Debian base system' },
    passwd,
    group,
  };
}

/** A layer of the packages `names` need beyond what `below` already holds. */
export async function packagesLayer(
  base: DebianBase,
  names: readonly string[],
  below: ReadonlySet<string>,
): Promise<LayerSource> {
  const added = [...closureOf(base.archive, names)].filter((name) => !below.has(name)).sort();
  return {
    tar: await writeTar(await packageEntries(base.archive, added)),
    comment: `Debian packages: ${added.join(' ')}`,
  };
}

/** Lines for a system user as `adduser --system` would append them. */
export function withUser(
  base: DebianBase,
  user: { name: string; id: number; home: string },
): { passwd: string; group: string } {
  return {
    passwd: `${base.passwd}${user.name}:x:${user.id}:${user.id}::${user.home}:/bin/sh\n`,
    group: `${base.group}${user.name}:x:${user.id}:\n`,
  };
}

function skeleton(): Entry[] {
  return [
    ...['usr', 'usr/bin', 'usr/sbin', 'usr/lib', 'usr/lib64', 'dev', 'proc', 'sys', 'run', 'etc', 'var'].map((name) =>
      directory(name),
    ),
    ...['bin', 'sbin', 'lib', 'lib64'].map((name) => symlink(name, `usr/${name}`)),
    directory('root', { mode: 0o700 }),
    directory('tmp', { mode: 0o1777 }),
    directory('var/tmp', { mode: 0o1777 }),
  ];
}

function textOf(entries: readonly Entry[], name: string): string {
  const found = entries.find(({ header }) => header.name === name);
  if (found?.body === undefined) throw new Error(`the base packages do not ship ${name}`);
  return found.body.toString('utf8');
}
