// SPDX-License-Identifier: Apache-2.0

/** Text of foreign origin for a message: no control or direction-changing characters, at most 120 characters, quoted. */
export function quote(text: string): string {
  const clean = text.slice(0, 121).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd');
  return `"${clean.length > 120 ? `${clean.slice(0, 120)}…` : clean}"`;
}
