// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { executionFailure, startFailure } from '../../src/flavors/oci/failures.ts';

it.each([
  ['runc run failed: unable to start container process: exec: "/x": stat /x: no such file or directory', 'NOT_FOUND'],
  ['runc run failed: unable to start container process: exec: "x": executable file not found in $PATH', 'NOT_FOUND'],
  ['executable file `x` not found in $PATH: No such file or directory', 'NOT_FOUND'],
  ['runc run failed: unable to start container process: exec: "/x": permission denied', 'PERMISSION'],
  ['open executable: Permission denied', 'PERMISSION'],
  ['exec container process `/x`: Exec format error', 'FORMAT'],
])('understands %s', (message, code) => {
  expect(executionFailure('/x', [message])).toMatchObject({
    code: `ERR_RKT_STAGE1_EXEC_${code}`,
    message: expect.stringContaining('"/x"'),
  });
});

it('does not take another failure for one of the app, nor its text for harmless', () => {
  expect(executionFailure('/x', ['error removing cgroup: device or resource busy'])).toBeUndefined();
  const failure = startFailure('/x\u001b[2J', ['cannot set \u001b[31m limits'], 1);
  expect(failure.code).toBe('ERR_RKT_STAGE1_RUNTIME_FAILED');
  expect(failure.message).not.toContain('\u001b');
});
