// SPDX-License-Identifier: Apache-2.0

/** What the scripts of `rkt completion` call rkt with, before the words of the command line. Alone here: `main` asks for it first. */
export const completionKey = '--complete';
