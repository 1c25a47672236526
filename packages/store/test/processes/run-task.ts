// SPDX-License-Identifier: Apache-2.0
// Does something to a store; killed by its own hand before the n-th step. Without n prints the steps.
import { followSteps } from '../faults/steps.ts';
import { tasks } from '../faults/tasks.ts';

const [dir = '', name = '', killAt = '0'] = process.argv.slice(2);
const steps = await followSteps(dir, (step) => {
  if (step === Number(killAt)) process.kill(process.pid, 'SIGKILL');
});
await tasks[name]?.run(dir, steps.onStep);
process.stdout.write(steps.seen.join('\n'));
