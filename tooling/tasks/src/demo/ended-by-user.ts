// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:os';
import { CommandFailed } from '../command.ts';

const { SIGHUP, SIGINT, SIGTERM } = constants.signals;
const interrupts: readonly number[] = [SIGHUP, SIGINT, SIGTERM].map((signal) => 128 + signal);

/** Whether a command ended because someone ended it. Its other failures, rkt's own 254 among them, are failures. */
export function endedByUser(error: unknown): boolean {
  return error instanceof CommandFailed && interrupts.includes(error.exitCode);
}
