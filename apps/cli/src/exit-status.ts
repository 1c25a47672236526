// SPDX-License-Identifier: Apache-2.0

/** The status of everything that rkt itself could not do; an app's own status is passed through. */
export const failureStatus = 254;
/** The status of a command line without a command. */
export const missingCommandStatus = 2;

const SIGNAL_NUMBERS: Readonly<Partial<Record<NodeJS.Signals, number>>> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

/** What a shell says of a command that a signal has ended. */
export function signalStatus(signal: NodeJS.Signals): number {
  return 128 + (SIGNAL_NUMBERS[signal] ?? 0);
}
