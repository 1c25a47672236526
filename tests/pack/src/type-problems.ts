// SPDX-License-Identifier: Apache-2.0
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';

/**
 * What is wrong with the types of a packed package, for those who can import it: as in the profile `esm-only` of `attw`,
 * `require` and the resolution of Node 10 do not count.
 */
export async function typeProblems(tarball: Uint8Array): Promise<readonly object[]> {
  const analysis = await checkPackage(createPackageFromTarballData(tarball));
  if (analysis.types === false) return [{ kind: 'NoTypes' }];
  return analysis.problems.filter(
    (problem) => !('resolutionKind' in problem) || !['node10', 'node16-cjs'].includes(problem.resolutionKind),
  );
}
