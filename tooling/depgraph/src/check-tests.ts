// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path';
import type { ImportSite } from './imports.ts';

/** Tests of a package see its inside and the public entries of others, `testing` among them, but not others' insides. */
export function testViolations(dir: string, sites: readonly ImportSite[]): readonly string[] {
  return sites.flatMap(({ file, specifier }) => {
    const leaves = specifier.startsWith('.') && !posix.join(posix.dirname(file), specifier).startsWith(`${dir}/`);
    const deep = /^@rkt\/[a-z0-9-]+\/(?!testing$)/.test(specifier);
    return leaves || deep ? [`${file}: ${specifier} is inside another package`] : [];
  });
}
