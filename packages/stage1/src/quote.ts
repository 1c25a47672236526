// SPDX-License-Identifier: Apache-2.0

/**
 * Text of foreign origin for a message: quoted, no control or direction-changing characters, cut after `limit` characters.
 */
export function quote(text: string, limit = 120): string {
  const clean = text.slice(0, limit).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd');
  return text.length > limit ? `"${clean}…"` : `"${clean}"`;
}
