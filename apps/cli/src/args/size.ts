// SPDX-License-Identifier: Apache-2.0

const UNITS: readonly string[] = ['', 'K', 'M', 'G', 'T'];

/** Bytes of a size as people write it: `500M`, `10GiB`, `1.5T`, `1048576`; a K is 1024. Throws an Error for anything else. */
export function parseSize(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)(?:([KMGT]?)(?:i?B)?)$/i.exec(text) ?? [];
  const bytes = Math.round(Number(number) * 1024 ** UNITS.indexOf(unit.toUpperCase()));
  if (number === '' || !Number.isSafeInteger(bytes)) throw new Error('it must be a size such as "500M" or "10GiB"');
  return bytes;
}
