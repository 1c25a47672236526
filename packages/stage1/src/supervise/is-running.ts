// SPDX-License-Identifier: Apache-2.0
import type { RuntimeContext } from '../context.ts';
import type { AppRecord } from '../pod/index.ts';

export function isRunning({ host }: RuntimeContext, record: AppRecord | undefined): boolean {
  return record?.process !== undefined && record.exitCode === undefined && host.processes.isAlive(record.process);
}
