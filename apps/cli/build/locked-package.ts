// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The directory of a package that the lockfile names but this machine's architecture keeps from being installed. Got
 * with npm once, and held against the lockfile's hash before anything of it is used.
 */
export function lockedPackage(root: string, name: string): string {
  const { version, integrity } = lockOf(root, name);
  const parent = join(root, '.cache', 'locked-packages');
  const directory = join(parent, `${name.replace('/', '+')}@${version}`);
  if (existsSync(directory)) return directory;
  mkdirSync(parent, { recursive: true });
  const work = mkdtempSync(join(parent, '.new-'));
  try {
    const pack = ['pack', `${name}@${version}`, '--json', '--pack-destination', work];
    const [{ filename }]: [{ filename: string }] = JSON.parse(
      execFileSync('npm', pack, { cwd: work, encoding: 'utf8' }),
    );
    const tarball = join(work, filename);
    const found = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`;
    if (found !== integrity)
      throw new Error(`${name}@${version}: the registry gave ${found}, the lockfile has ${integrity}`);
    execFileSync('tar', ['--extract', '--gzip', '--no-same-owner', '--file', tarball, '--directory', work]);
    renameSync(join(work, 'package'), directory);
    return directory;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function lockOf(root: string, name: string): { readonly version: string; readonly integrity: string } {
  const lock = readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8');
  const entry = new RegExp(`^  '?${name}@([^':\\n]+)'?:\\n    resolution: \\{integrity: (sha512-[^},]+)`, 'm').exec(
    lock,
  );
  const [, version, integrity] = entry ?? [];
  if (version === undefined || integrity === undefined) throw new Error(`pnpm-lock.yaml has no ${name}`);
  return { version, integrity };
}
