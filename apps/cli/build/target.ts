// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lockedPackage } from './locked-package.ts';

export const root: string = fileURLToPath(new URL('../../..', import.meta.url));

export const architectures = ['x64', 'arm64'] as const;

export type Architecture = (typeof architectures)[number];

/** What an executable for one architecture is made of, and how its Node is run here. */
export interface Target {
  readonly arch: Architecture;
  /** The package with the Node of the lockfile; the executable is a copy of its binary. */
  readonly nodePackage: string;
  /** The package with koffi's prebuilt addon. */
  readonly addonPackage: string;
  /** Words before the path of a program for this architecture, to run it on this machine. */
  readonly runner: readonly string[];
}

/** The target of this machine from what is installed; another one's from the registry, as the lockfile has it. */
export function targetFor(arch: Architecture): Target {
  const addonName = `@koromix/koffi-linux-${arch}`;
  if (arch === process.arch) {
    const koffi = createRequire(join(root, 'packages', 'store', 'package.json')).resolve('koffi');
    return {
      arch,
      nodePackage: join(root, 'node_modules', `node-linux-${arch}`),
      addonPackage: join(createRequire(koffi).resolve(addonName), '..'),
      runner: [],
    };
  }
  return {
    arch,
    nodePackage: lockedPackage(root, `node-linux-${arch}`),
    addonPackage: lockedPackage(root, addonName),
    runner: emulator(arch),
  };
}

export function nodeOf({ nodePackage }: Target): string {
  return join(nodePackage, 'bin', 'node');
}

export function addonOf({ arch, addonPackage }: Target): string {
  return join(addonPackage, `linux_${arch}`, 'koffi.node');
}

/** Of what takes a minute when it is emulated on a busy machine. */
const LONGEST_MS = 300_000;

/** Runs a program of the target's architecture to its end; gives what it printed. */
export function runOnTarget({ runner }: Target, program: string, args: readonly string[], cwd: string): string {
  const [file = '', ...rest] = [...runner, program, ...args];
  return execFileSync(file, rest, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {},
    timeout: LONGEST_MS,
  });
}

/** The versions of Node and of the libraries inside it. */
export function nodeVersions(target: Target): Readonly<Record<string, string>> {
  return JSON.parse(runOnTarget(target, nodeOf(target), ['-p', 'JSON.stringify(process.versions)'], root));
}

/** The version of an npm package in a directory. */
export function packageVersion(directory: string): string {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')).version;
}

/** qemu's user mode, with Debian's libraries for that architecture. */
function emulator(arch: Architecture): readonly string[] {
  const machine = { x64: 'x86_64', arm64: 'aarch64' }[arch];
  const [program, libraries] = [`/usr/bin/qemu-${machine}-static`, `/usr/${machine}-linux-gnu`];
  for (const path of [program, libraries]) {
    if (!existsSync(path))
      throw new Error(`building for ${arch} on ${process.arch} runs its Node, but there is no ${path}`);
  }
  return [program, '-L', libraries];
}
