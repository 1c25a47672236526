// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execute } from './execute.ts';

export const root: string = fileURLToPath(new URL('../../..', import.meta.url));

/** Folder of each published package, dependencies before dependents. */
export const packages: readonly string[] = [
  'packages/refparse',
  'packages/appc',
  'packages/registry',
  'packages/docker2aci',
  'packages/store',
  'packages/stage1',
  'apps/cli',
];

export interface PackageJson {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, unknown>>;
}

/** The pinned pnpm, as `npx` wants it. */
const packageManager: string = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).packageManager;

const catalogTypes: string = JSON.parse(
  readFileSync(join(root, 'node_modules/@types/node/package.json'), 'utf8'),
).version;

/** Packs a workspace package as publishing would; gives the tarball's path. */
export function pack(dir: string, destination: string): string {
  const output = pnpm(['pack', '--json', '--pack-destination', destination], join(root, dir));
  const { filename }: { filename: string } = JSON.parse(output.slice(output.indexOf('{')));
  return filename;
}

/** An empty project that depends on some of our tarballs; siblings these need come from their tarballs as well. */
export function install(names: readonly string[], tarballs: ReadonlyMap<string, string>): string {
  const dir = mkdtempSync(join(tmpdir(), 'rkt-pack-'));
  const siblings = Object.fromEntries([...tarballs].map(([sibling, tarball]) => [sibling, `file:${tarball}`]));
  writeFileSync(
    join(dir, 'package.json'),
    JSON.stringify({
      name: 'consumer',
      private: true,
      type: 'module',
      dependencies: { ...Object.fromEntries(names.map((name) => [name, siblings[name]])), '@types/node': catalogTypes },
      pnpm: { overrides: siblings },
    }),
  );
  pnpm(['install', '--prefer-offline', '--ignore-scripts', '--config.strict-dep-builds=false'], dir);
  return dir;
}

/** Compiles TypeScript files in a project the way a strict consumer would. Throws with the compiler's output. */
export function typecheck(project: string, files: readonly string[]): void {
  mkdirSync(join(project, 'node_modules'), { recursive: true });
  writeFileSync(
    join(project, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        module: 'nodenext',
        target: 'es2023',
        lib: ['es2023', 'esnext.disposable', 'esnext.array'],
        strict: true,
        noEmit: true,
        skipLibCheck: false,
        types: ['node'],
      },
      files,
    }),
  );
  execute(process.execPath, [join(root, 'node_modules/typescript/lib/tsc.js'), '-p', project], { cwd: project });
}

/** Runs the pinned pnpm; gives its standard output. */
export function pnpm(args: readonly string[], cwd: string): string {
  return execute(pnpmProgram(), args, { cwd });
}

let program: string | undefined;

/** Where npx keeps the pinned pnpm: to ask npx costs more than most of what pnpm is run for, so it is asked once. */
export function pnpmProgram(): string {
  program ??= execute('npx', ['--yes', '-p', packageManager, '-c', 'command -v pnpm'], { cwd: root }).trim();
  return program;
}
