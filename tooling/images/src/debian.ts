// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The .deb files of some packages and everything they depend on, in a directory that serves as a cache. */
export interface Archive {
  /** Package name -> path of its .deb. */
  readonly files: ReadonlyMap<string, string>;
}

/**
 * Downloads packages with their whole dependency closure, as if nothing were installed, with the machine's own apt and
 * its sources and signatures. Nothing is installed or configured.
 */
export function downloadClosure(packages: readonly string[], cacheDir: string): Archive {
  mkdirSync(join(cacheDir, 'partial'), { recursive: true });
  const status = join(cacheDir, 'empty-status');
  writeFileSync(status, '');
  const options = [
    '-o',
    `Dir::State::status=${status}`,
    '-o',
    `Dir::Cache::archives=${cacheDir}/`,
    '-o',
    'APT::Install-Recommends=0',
    '-o',
    'APT::Sandbox::User=root',
    '-o',
    'Debug::NoLocking=1',
    '-q',
    '-y',
  ];
  try {
    return fetchClosure(options, packages, cacheDir);
  } catch {
    // The lists are missing, or so old that the archive does not have those versions any more.
    apt(['-q', 'update']);
    return fetchClosure(options, packages, cacheDir);
  }
}

function fetchClosure(options: readonly string[], packages: readonly string[], cacheDir: string): Archive {
  const plan = apt([...options, '--simulate', 'install', ...packages]);
  if (plan.status !== 0) throw new Error(`apt-get cannot resolve ${packages.join(' ')}: ${plan.stderr.slice(-500)}`);
  const files = new Map(plannedFiles(plan.stdout).map(([name, file]) => [name, join(cacheDir, file)]));
  if ([...files.values()].some((file) => !existsSync(file))) {
    const fetched = apt([...options, '--download-only', 'install', ...packages]);
    if (fetched.status !== 0)
      throw new Error(`apt-get cannot download ${packages.join(' ')}: ${fetched.stderr.slice(-500)}`);
  }
  return { files };
}

/** Package names and the file names apt gives their archives, from the lines `Inst NAME (VERSION ... [ARCH])`. */
function plannedFiles(plan: string): readonly (readonly [string, string])[] {
  return [...plan.matchAll(/^Inst (\S+) \((\S+) [^[]*\[(\w+)\]/gm)]
    .map(
      ([, name = '', version = '', arch = '']) =>
        [name, `${name}_${version.replaceAll(':', '%3a')}_${arch}.deb`] as const,
    )
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The packages of `archive` that the package `name` needs, itself included, following Depends and Pre-Depends. */
export function closureOf(archive: Archive, names: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const queue = [...names];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const file = archive.files.get(name);
    if (file === undefined || seen.has(name)) continue;
    seen.add(name);
    queue.push(...dependenciesOf(file));
  }
  return seen;
}

function dependenciesOf(deb: string): readonly string[] {
  const result = spawnSync('dpkg-deb', ['--field', deb, 'Pre-Depends', 'Depends'], { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`dpkg-deb cannot read ${deb}: ${result.stderr}`);
  return result.stdout
    .replace(/^(Pre-)?Depends:/gm, ',')
    .split(/[,|]/)
    .map((clause) => clause.trim().split(/[ (:]/)[0] ?? '')
    .filter((name) => name !== '');
}

function apt(args: readonly string[]) {
  return spawnSync('apt-get', args, { encoding: 'utf8', maxBuffer: 1 << 26, env: { ...process.env, LC_ALL: 'C' } });
}

/** The data archive of a package as an uncompressed tar. */
export function dataTar(deb: string): Buffer {
  const result = spawnSync('dpkg-deb', ['--fsys-tarfile', deb], { maxBuffer: 1 << 30 });
  if (result.status !== 0) throw new Error(`dpkg-deb cannot read ${deb}: ${result.stderr}`);
  return result.stdout;
}
