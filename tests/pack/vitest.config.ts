import { packageProject } from '../../tooling/vitest/project.ts';

const base = packageProject('pack');

export default { ...base, test: { ...base.test, testTimeout: 180_000, hookTimeout: 300_000 } };
