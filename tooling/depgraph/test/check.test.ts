// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { violations } from '../src/check.ts';
import { importsOf } from '../src/imports.ts';

const needed = (name: string, targets: readonly string[]) =>
  targets.map((target) => ({ file: `packages/${name}/src/index.ts`, specifier: `@rkt/${target}` }));

describe('the import rules', () => {
  it('accept what the table allows', () => {
    expect(violations('registry', needed('registry', ['refparse']))).toEqual([]);
  });

  it('refuse a package that is not in the table', () => {
    const sites = [...needed('store', ['appc']), { file: 'packages/store/src/a.ts', specifier: '@rkt/registry' }];
    expect(violations('store', sites)).toEqual(['packages/store/src/a.ts: store must not import @rkt/registry']);
  });

  it('refuse leave that nothing uses', () => {
    expect(violations('store', [])).toHaveLength(1);
  });

  it('refuse paths out of the package and into the inside of another', () => {
    const sites = [
      ...needed('store', ['appc']),
      { file: 'packages/store/src/a.ts', specifier: '../../appc/src/index.ts' },
      { file: 'packages/store/src/a.ts', specifier: '@rkt/appc/src/tree.ts' },
    ];
    expect(violations('store', sites)).toHaveLength(2);
  });

  it("refuse Node's modules in pure rooms and system calls outside the host rooms", () => {
    const sites = [
      ...needed('stage1', ['appc']),
      { file: 'packages/stage1/src/oci-spec/user.ts', specifier: 'node:fs' },
      { file: 'packages/stage1/src/pod/lock.ts', specifier: 'koffi' },
      { file: 'packages/stage1/src/host/calls.ts', specifier: 'koffi' },
    ];
    expect(violations('stage1', sites)).toHaveLength(2);
  });
});

describe('finding imports', () => {
  it('sees static, dynamic, re-exporting and type imports, and none in comments', () => {
    const source = `import a from 'a';\nexport { b } from 'b';\nimport type { C } from 'c';\nawait import('d');\n// import 'e'\n`;
    expect([...importsOf(source)].sort()).toEqual(['a', 'b', 'c', 'd']);
  });
});
