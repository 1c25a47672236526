// SPDX-License-Identifier: Apache-2.0

const QUANTITY = /^\d+(\.\d+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE]\d{1,2})?$/;

/** Checks a resource quantity of the appc spec and gives it back: `500m`, `16Mi`, `2`. Throws an Error for others. */
export function parseQuantity(text: string): string {
  if (text.length > 32 || !QUANTITY.test(text)) throw new Error('it must be a quantity such as "500m", "16Mi" or "2"');
  return text;
}

/** The same of bytes, of which there are no thousandths: docker's `m` is `M` or `Mi`. Throws an Error for others. */
export function parseBytes(text: string): string {
  if (text.length <= 32 && QUANTITY.test(text) && !text.endsWith('m')) return text;
  throw new Error('it must be a number of bytes such as "64M" or "16Mi"');
}
