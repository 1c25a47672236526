// SPDX-License-Identifier: Apache-2.0

/**
 * Takes back what a failure has left half done. When that fails, too, the caller is to hear why it came to this: what stays goes
 * with the process, or with the next collection.
 */
export async function tidyUp(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch {
    // Two failures of one disk: the first one says what was to be done.
  }
}
