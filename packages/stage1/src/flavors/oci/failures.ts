// SPDX-License-Identifier: Apache-2.0
import { Stage1Error, type Stage1ErrorCode } from '../../error.ts';
import { quote } from '../../quote.ts';

/** What runc 1.1 to 1.3 and crun 1.8 to 1.20 say when it is the app that cannot be executed. */
const causes: readonly { readonly pattern: RegExp; readonly code: Stage1ErrorCode; readonly what: string }[] = [
  {
    pattern: /exec format error/i,
    code: 'ERR_RKT_STAGE1_EXEC_FORMAT',
    what: 'is not in a format this machine executes',
  },
  {
    pattern: /executable file .*not found|exec: .*no such file or directory|exec .*: no such file or directory/i,
    code: 'ERR_RKT_STAGE1_EXEC_NOT_FOUND',
    what: 'does not exist in the image',
  },
  {
    pattern: /exec: .*(permission denied|is a directory)|open executable: /i,
    code: 'ERR_RKT_STAGE1_EXEC_PERMISSION',
    what: 'may not be executed',
  },
];

/** Undefined when these messages of a runtime are not about executing the app. */
export function executionFailure(executable: string, messages: readonly string[]): Stage1Error | undefined {
  for (const { pattern, code, what } of causes) {
    if (messages.some((message) => pattern.test(message))) {
      return new Stage1Error(code, `executable ${quote(executable, 400)} ${what}`);
    }
  }
  return undefined;
}

/** For an app that did not start, whatever the reason. */
export function startFailure(executable: string, messages: readonly string[], status: number): Stage1Error {
  const reason = messages.at(-1) ?? `its status is ${status}`;
  const message = `the runtime could not start ${quote(executable)}: ${quote(reason, 400)}`;
  return executionFailure(executable, messages) ?? new Stage1Error('ERR_RKT_STAGE1_RUNTIME_FAILED', message);
}
