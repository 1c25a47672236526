// SPDX-License-Identifier: Apache-2.0

/** The status of everything that rkt itself could not do; an app's own status is passed through. */
export const failureStatus = 254;
/** The status of a command line without a command. */
export const missingCommandStatus = 2;
