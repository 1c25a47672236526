// SPDX-License-Identifier: Apache-2.0
import { isCliError } from '../errors.ts';

/** An error as it is to be told: with what was probably meant, where a word was mistyped. */
export async function explained(error: unknown): Promise<unknown> {
  if (!isCliError(error) || error.mistyped === undefined) return error;
  // Loaded for whoever has mistyped something.
  const { withSuggestion } = await import('../help/suggest.ts');
  return withSuggestion(error);
}
