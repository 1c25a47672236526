// SPDX-License-Identifier: Apache-2.0
import { defineProject, type UserWorkspaceConfig } from 'vitest/config';

/** Every package is tested from its TypeScript source: the `@rkt/source` export condition reaches siblings unbuilt. */
export const sourceCondition = '@rkt/source';

/** The vitest project of one package. Workers that a test starts inherit the export condition through `execArgv`. */
export function packageProject(name: string): UserWorkspaceConfig {
  return defineProject({
    resolve: { conditions: [sourceCondition] },
    ssr: { resolve: { conditions: [sourceCondition], externalConditions: [sourceCondition] } },
    test: {
      name,
      include: ['test/**/*.test.ts'],
      pool: 'forks',
      execArgv: [`--conditions=${sourceCondition}`, '--disable-warning=ExperimentalWarning'],
      testTimeout: 30_000,
      hookTimeout: 60_000,
    },
  });
}
