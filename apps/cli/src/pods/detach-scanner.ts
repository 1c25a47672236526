// SPDX-License-Identifier: Apache-2.0

export interface ScannedInput {
  /** What is for the app. */
  readonly forward: Uint8Array;
  readonly isDetached: boolean;
}

/** Looks for keys in what is typed. What may be the beginning of them is held back until it turns out not to be. */
export function createDetachScanner(keys: readonly number[]): (typed: Uint8Array) => ScannedInput {
  let held = 0;
  return (typed) => {
    const forward: number[] = [];
    for (const byte of typed) {
      if (held > 0 && byte !== keys[held]) {
        forward.push(...keys.slice(0, held));
        held = 0;
      }
      if (keys.length > 0 && byte === keys[held]) held += 1;
      else forward.push(byte);
      if (keys.length > 0 && held === keys.length) return { forward: Uint8Array.from(forward), isDetached: true };
    }
    return { forward: Uint8Array.from(forward), isDetached: false };
  };
}
