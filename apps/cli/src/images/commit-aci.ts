// SPDX-License-Identifier: Apache-2.0
import type { Dependency, ImageManifest } from '@rkt/appc';
import type { ImageRecord } from '@rkt/store';
import { hasCode } from '../errors.ts';
import type { Session } from '../wiring/session.ts';
import type { ObtainOptions } from './obtain-options.ts';

/**
 * Commits an ACI and, as long as the store says that a dependency is missing, has that one discovered and fetched. What is in
 * the store is taken as it is.
 * @throws what `commit` throws, and discovery
 */
export async function commitWithDependencies(
  session: Session,
  { name, dependencies = [] }: ImageManifest,
  options: ObtainOptions,
  commit: () => Promise<ImageRecord>,
): Promise<ImageRecord> {
  const tried = new Set<Dependency>();
  for (;;) {
    try {
      return await commit();
    } catch (error) {
      const missing = dependencies.find((each) => !tried.has(each) && each.imageName === missingName(error));
      if (missing === undefined || options.pullPolicy === 'never') throw error;
      tried.add(missing);
      const dependents = [...(options.dependents ?? []), name];
      if (!(await options.fetchDependency(session, missing, { ...options, dependents }))) throw error;
    }
  }
}

function missingName(error: unknown): string | undefined {
  const isMissing = hasCode(error, 'ERR_RKT_STORE_DEPENDENCY_NOT_FOUND');
  return isMissing && 'subject' in error && typeof error.subject === 'string' ? error.subject : undefined;
}
