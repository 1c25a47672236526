import { packageProject } from '../../tooling/vitest/project.ts';

const base = packageProject('e2e');

// Pods share the host's network tables, and each test compares the host before and after: one file at a time.
export default { ...base, test: { ...base.test, fileParallelism: false, testTimeout: 120_000, hookTimeout: 300_000 } };
