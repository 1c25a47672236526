// SPDX-License-Identifier: Apache-2.0

/** Whether a `Content-Range` says exactly: from `start` to the end of `size` bytes. RFC 9110, section 14.4. */
export function isContentRangeFrom(field: string | undefined, start: number, size: number): boolean {
  const match = /^bytes ([0-9]{1,16})-([0-9]{1,16})\/([0-9]{1,16}|\*)$/i.exec(field?.trim() ?? '');
  if (match === null) return false;
  const [, first, last, total] = match;
  return Number(first) === start && Number(last) === size - 1 && (total === '*' || Number(total) === size);
}

/** A `Content-Length` as a number, or undefined when it is absent or no plain number within 2^53. */
export function parseContentLength(field: string | undefined): number | undefined {
  if (field === undefined || !/^[0-9]{1,16}$/.test(field)) return undefined;
  const length = Number(field);
  return Number.isSafeInteger(length) ? length : undefined;
}
