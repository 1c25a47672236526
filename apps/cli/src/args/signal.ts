// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:os';

/** A signal by its name, with or without SIG, or its number. Throws an Error for what is none. */
export function parseSignal(text: string): NodeJS.Signals {
  const upper = text.toUpperCase();
  const found = Object.entries(constants.signals).find(
    ([name, number]) => name === upper || name === `SIG${upper}` || String(number) === text,
  )?.[0];
  if (isSignal(found)) return found;
  throw new Error('it must be the name or the number of a signal, such as "SIGTERM" or "15"');
}

function isSignal(name: string | undefined): name is NodeJS.Signals {
  return name !== undefined && name in constants.signals;
}
