// SPDX-License-Identifier: Apache-2.0
import { type AppcError, isAppcError } from '@rkt/appc';

/** The AppcError that `action` throws; anything else it does fails the test. */
export function appcError(action: () => unknown): AppcError {
  try {
    action();
  } catch (error) {
    if (isAppcError(error)) return error;
    throw error;
  }
  throw new Error('expected an AppcError, nothing was thrown');
}

/** What `action` returns, or its AppcError's code; any other error fails the test. */
export function resultOrCode<T>(action: () => T): T | string {
  try {
    return action();
  } catch (error) {
    if (isAppcError(error)) return error.code;
    throw error;
  }
}
