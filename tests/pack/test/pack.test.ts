// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { install, type PackageJson, pack, packages, root, typecheck } from '../src/project.ts';

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

function tarballBytes(name: string): ArrayBuffer {
  return new Uint8Array(readFileSync(tarballs.get(name) ?? '')).buffer;
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

  it('has a manifest that resolves for its consumers', async () => {
    const { messages } = await publint({ pack: { tarball: tarballBytes(name) }, strict: true });
    expect(messages.filter(({ type }) => type === 'error')).toEqual([]);
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
