// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { violations } from '../src/check.ts';
import { testViolations } from '../src/check-tests.ts';
import { hiddenImportsOf, type ImportSite, importsOf } from '../src/imports.ts';

const site = (file: string, specifier: string, typeOnly = false): ImportSite => ({ file, specifier, typeOnly });

const needed = (name: string, targets: readonly string[]) =>
  targets.map((target) => site(`packages/${name}/src/index.ts`, `@rkt/${target}`));

describe('the import rules', () => {
  it('accept what the table allows', () => {
    expect(violations('packages/registry', needed('registry', ['refparse']))).toEqual([]);
  });

  it('refuse a package that is not in the table', () => {
    const sites = [...needed('store', ['appc']), site('packages/store/src/a.ts', '@rkt/registry')];
    expect(violations('packages/store', sites)).toEqual([
      'packages/store/src/a.ts: store must not import @rkt/registry',
    ]);
    expect(violations('packages/new', [])).toHaveLength(1);
  });

  it('refuse leave that nothing uses', () => {
    expect(violations('packages/store', [])).toHaveLength(1);
  });

  it('refuse paths out of the package and into the inside of another', () => {
    const sites = [
      ...needed('store', ['appc']),
      site('packages/store/src/a.ts', '../../appc/src/index.ts'),
      site('packages/store/src/a.ts', '@rkt/appc/src/tree.ts'),
    ];
    expect(violations('packages/store', sites)).toHaveLength(2);
  });

  it('refuse system calls outside the host rooms', () => {
    const sites = [
      ...needed('stage1', ['appc']),
      site('packages/stage1/src/pod/lock.ts', 'koffi'),
      site('packages/stage1/src/host/calls.ts', 'koffi'),
    ];
    expect(violations('packages/stage1', sites)).toHaveLength(1);
  });

  it('refuse in tests the inside of another package, and accept its entries and one’s own inside', () => {
    const sites = [
      site('packages/store/test/a.test.ts', '@rkt/appc/dist/tree.js'),
      site('packages/store/test/a.test.ts', '../../appc/src/tree.ts'),
      site('packages/store/test/a.test.ts', '@rkt/registry/testing'),
      site('packages/store/test/a.test.ts', '../src/host/calls.ts'),
    ];
    expect(testViolations('packages/store', sites)).toHaveLength(2);
  });
});

describe('a pure room', () => {
  const check = (...sites: readonly ImportSite[]) =>
    violations('packages/stage1', [...needed('stage1', ['appc']), ...sites]);
  const user = 'packages/stage1/src/oci-spec/user.ts';

  it.each(['node:fs', 'smol-toml'])('must not import %s', (specifier) => {
    expect(check(site(user, specifier))).toHaveLength(1);
  });

  it('must not reach such a module through files outside it, however long the way', () => {
    const way = [site('packages/stage1/src/a.ts', './b.ts'), site('packages/stage1/src/b.ts', './c.ts')];
    const end = site('packages/stage1/src/c.ts', 'node:fs');
    expect(check(site(user, '../a.ts'), ...way, end)).toEqual([expect.stringContaining('node:fs through ../a.ts')]);
    expect(check(site(user, '../a.ts'), ...way)).toEqual([]);
    expect(check(site(user, '../a.ts', true), ...way, end)).toEqual([]);
  });

  it('may use pure packages, and of the others the types', () => {
    const sites = needed('docker2aci', ['appc', 'refparse', 'registry']);
    const room = 'packages/docker2aci/src/manifest/app.ts';
    const allowed = [site(room, '@rkt/appc'), site(room, '@rkt/registry', true)];
    expect(violations('packages/docker2aci', [...sites, ...allowed])).toEqual([]);
    expect(violations('packages/docker2aci', [...sites, site(room, '@rkt/registry')])).toHaveLength(1);
  });
});

describe('finding imports', () => {
  it('sees static, dynamic, re-exporting and type imports, and none in comments', () => {
    const source = `import a from 'a';\nexport { b } from 'b';\nimport type { C } from 'c';\nawait import('d');\nlet e: import('e').E;\n// import 'f'\n`;
    expect(importsOf(source)).toEqual([
      { specifier: 'a', typeOnly: false },
      { specifier: 'b', typeOnly: false },
      { specifier: 'c', typeOnly: true },
      { specifier: 'd', typeOnly: false },
      { specifier: 'e', typeOnly: true },
    ]);
  });

  it.each([
    'await import(name);',
    "import { createRequire } from 'node:module';",
    "process.getBuiltinModule('node:fs');",
  ])('sees that %s hides one', (source) => {
    expect(hiddenImportsOf(source)).toHaveLength(1);
    expect(hiddenImportsOf("await import('d');")).toEqual([]);
  });
});
