// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:os';
import { signalCommands } from './command.ts';

/** What came of signals since they are passed on. */
export interface PassedOn {
  /** The first one that came. */
  readonly signal: NodeJS.Signals | undefined;
  /** The status of a process that the signal ended. */
  readonly status: number | undefined;
}

/**
 * From now on SIGINT, SIGTERM and SIGHUP do not end this process: they end the commands it runs, and what it undoes
 * after them gets undone. A terminal sends its Ctrl-C to the commands by itself; a second one would be taken as "at once".
 */
export function passOnSignals(): PassedOn {
  let first: NodeJS.Signals | undefined;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      first ??= name;
      if (name !== 'SIGINT' || process.stdin.isTTY !== true) signalCommands(name);
    });
  }
  return {
    get signal() {
      return first;
    },
    get status() {
      return first === undefined ? undefined : 128 + constants.signals[first];
    },
  };
}
