// SPDX-License-Identifier: Apache-2.0
import { isRegistryError, type RegistryError } from '../src/index.ts';

/** The RegistryError `work` throws or rejects with; any other outcome fails the test. */
export async function registryError(work: () => unknown): Promise<RegistryError> {
  let outcome: unknown;
  try {
    outcome = await work();
  } catch (error) {
    if (isRegistryError(error)) return error;
    throw error;
  }
  throw new Error(`expected a RegistryError, got ${String(outcome)}`);
}
