// SPDX-License-Identifier: Apache-2.0

/** What the script of `rkt completion` calls rkt with; the name is yargs'. Alone here so that nothing loads yargs for it. */
export const completionKey = '--get-yargs-completions';
