// SPDX-License-Identifier: Apache-2.0

/** `unit` is a UTF-16 unit as `charCodeAt` gives it; NaN (past the end) belongs to no class. */
export function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39;
}

export function isLower(unit: number): boolean {
  return unit >= 0x61 && unit <= 0x7a;
}

export function isUpper(unit: number): boolean {
  return unit >= 0x41 && unit <= 0x5a;
}

export function isAlphanumeric(unit: number): boolean {
  return isDigit(unit) || isLower(unit) || isUpper(unit);
}

export function isLowerAlphanumeric(unit: number): boolean {
  return isDigit(unit) || isLower(unit);
}

export function isLowerHex(unit: number): boolean {
  return isDigit(unit) || (unit >= 0x61 && unit <= 0x66);
}

export function isHex(unit: number): boolean {
  return isLowerHex(unit) || (unit >= 0x41 && unit <= 0x46);
}

/** Index of the first unit at or after `start` that is not in the class; `text.length` when all are. */
export function skipWhile(text: string, start: number, belongs: (unit: number) => boolean): number {
  let at = start;
  while (at < text.length && belongs(text.charCodeAt(at))) at += 1;
  return at;
}
