// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packedImports } from '../src/packed-imports.ts';
import { install, type PackageJson, pack, packages, root, typecheck } from '../src/project.ts';
import { typeProblems } from '../src/type-problems.ts';

/** The packages of others that come with each of ours: a new one has to be argued in docs/dependencies.md. */
const thirdParties: Readonly<Record<string, readonly string[]>> = {
  '@rkt/refparse': [],
  '@rkt/appc': [],
  '@rkt/registry': ['undici'],
  '@rkt/docker2aci': ['undici'],
  '@rkt/store': ['koffi'],
  '@rkt/stage1': ['koffi'],
  '@rkt/cli': ['aws4fetch', 'koffi', 'openpgp', 'smol-toml', 'undici'],
};

const destination = mkdtempSync(join(tmpdir(), 'rkt-pack-tarballs-'));
const tarballs = new Map<string, string>();
const projects: string[] = [];

beforeAll(() => {
  for (const dir of packages) tarballs.set(manifestOf(dir).name, pack(dir, destination));
});
afterAll(() => {
  for (const dir of [destination, ...projects]) rmSync(dir, { recursive: true, force: true });
});

function manifestOf(dir: string): PackageJson {
  return JSON.parse(readFileSync(join(root, dir, 'package.json'), 'utf8'));
}

function tarballBytes(name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(tarballs.get(name) ?? ''));
}

function unpack(name: string): string {
  const dir = join(destination, 'unpacked', name);
  mkdirSync(dir, { recursive: true });
  execFileSync('tar', ['xzf', tarballs.get(name) ?? '', '--strip-components=1', '-C', dir]);
  return dir;
}

/** The packages of others in a project that pnpm installed, without the types of Node that every one of ours gets. */
function installedThirdParties(project: string): readonly string[] {
  const names = readdirSync(join(project, 'node_modules', '.pnpm'))
    .flatMap((entry) => /^(@?[^@]+)@/.exec(entry)?.[1]?.replace('+', '/') ?? [])
    .filter((name) => !/^(@rkt\/|@types\/node$|undici-types$|@koromix\/koffi-)/.test(name));
  return [...new Set(names)].sort();
}

/** The TypeScript examples of a README. */
function examplesOf(dir: string): readonly string[] {
  const readme = readFileSync(join(root, dir, 'README.md'), 'utf8');
  return [...readme.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code);
}

/** What the reader of an example has to install. */
function packagesIn(example: string): readonly string[] {
  return [...example.matchAll(/from '(@rkt\/[a-z0-9]+)/g)].map(([, name = '']) => name);
}

describe.each(packages)('%s', (dir) => {
  const { name } = manifestOf(dir);

  it('packs what it needs and nothing else', () => {
    const files = execFileSync('tar', ['tzf', tarballs.get(name) ?? ''], { encoding: 'utf8' })
      .trim()
      .split('\n');
    expect(files).toEqual(expect.arrayContaining(['package/package.json', 'package/README.md', 'package/LICENSE']));
    const unexpected = files.filter(
      (file) =>
        !/^package\/(package\.json|README\.md|LICENSE|CHANGELOG\.md|dist\/.+\.(js|d\.ts|d\.ts\.map))$/.test(file),
    );
    expect(unexpected).toEqual([]);
    const sourceless = files
      .flatMap((file) => /^package\/dist\/(.+?)\.(?:js|d\.ts|d\.ts\.map)$/.exec(file)?.[1] ?? [])
      .filter((module) => !existsSync(join(root, dir, 'src', `${module}.ts`)));
    // The compiler never deletes; `npm run build` does.
    expect(sourceless).toEqual([]);
  });

  it('has a manifest and types that resolve for its consumers', async () => {
    const { messages } = await publint({ pack: { tarball: tarballBytes(name).buffer }, strict: true });
    expect(messages).toEqual([]);
    // A command has nothing to import.
    if (manifestOf(dir).exports !== undefined) expect(await typeProblems(tarballBytes(name))).toEqual([]);
  });

  it('imports what it depends on, and depends on nothing else', () => {
    const { packages: imported, missing } = packedImports(unpack(name));
    expect(missing).toEqual([]);
    const own = [...imported].filter((specifier) => specifier !== name).sort();
    expect(own).toEqual(Object.keys(manifestOf(dir).dependencies ?? {}).sort());
  });

  it('installs from its tarball into an empty project and works there', () => {
    const examples = examplesOf(dir);
    const project = install([name, ...examples.flatMap(packagesIn)], tarballs);
    projects.push(project);
    const installed: PackageJson = JSON.parse(
      readFileSync(join(project, 'node_modules', name, 'package.json'), 'utf8'),
    );
    for (const [dependency, range] of Object.entries(installed.dependencies ?? {})) {
      expect(range, dependency).not.toMatch(/^(workspace|catalog):/);
    }
    if (examples.flatMap(packagesIn).every((imported) => imported === name)) {
      expect(installedThirdParties(project)).toEqual(thirdParties[name]);
    }
    if (dir === 'apps/cli') {
      const bin = join(project, 'node_modules', '.bin', 'rkt');
      expect(execFileSync(bin, ['version'], { encoding: 'utf8' })).toContain('rkt Version');
    } else {
      const script = `import * as it from '${name}'; console.log(Object.keys(it).length)`;
      const exported = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
        cwd: project,
        encoding: 'utf8',
      });
      expect(Number(exported)).toBeGreaterThan(0);
    }
    if (dir === 'packages/docker2aci') {
      const bin = join(project, 'node_modules', '.bin', 'docker2aci');
      expect(execFileSync(bin, ['-version'], { encoding: 'utf8' })).toContain('docker2aci version');
    }
    expect(examples[0]).toContain(name);
    const modules = examples.map((example, index) => ({ file: `example-${index}.ts`, example }));
    for (const { file, example } of modules) writeFileSync(join(project, file), `${example}\nexport {};\n`);
    typecheck(
      project,
      modules.map(({ file }) => file),
    );
  });
});
