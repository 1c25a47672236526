// SPDX-License-Identifier: Apache-2.0
import { toStoreError } from './errors.ts';

/**
 * Does what a caller asked for. Where nobody nearer to it has said what a failure of the system means, it is told here:
 * every such failure has one of our codes.
 */
export async function translated<T>(dir: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw told(error, dir);
  }
}

/** The same for what is asked for piece by piece. */
export async function* translatedEach<T>(dir: string, work: () => Promise<AsyncIterable<T>>): AsyncGenerator<T, void> {
  try {
    yield* await work();
  } catch (error) {
    throw told(error, dir);
  }
}

/** A failure to tidy up must not hide the failure before it. */
function told(error: unknown, dir: string): unknown {
  // By name: Node 22 has no such global.
  if (error instanceof Error && error.name === 'SuppressedError' && 'suppressed' in error)
    return told(error.suppressed, dir);
  return toStoreError(error, 'cannot work on the store', dir);
}
