// SPDX-License-Identifier: Apache-2.0

const QUANTITY = /^\d+(\.\d+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE]\d{1,2})?$/;

/** Checks a resource quantity of the appc spec and gives it back: `500m`, `16Mi`, `2`. Throws an Error for others. */
export function parseQuantity(text: string): string {
  if (text.length > 32 || !QUANTITY.test(text)) throw new Error('it must be a quantity such as "500m", "16Mi" or "2"');
  return text;
}

/** What docker's letters stand for. `k` stays what it is in the appc specification: 1000. */
const DOCKER_UNITS: Readonly<Record<string, string>> = { b: '', m: 'Mi', g: 'Gi', t: 'Ti' };

/**
 * The same of bytes, of which there are no thousandths, so that docker's `m`, `g`, `t` and `b` can be what they are there: powers of
 * 1024, also as `mb` and `MiB`. Throws an Error for others.
 */
export function parseBytes(text: string): string {
  const [, digits = '', letters = ''] = /^(\d+(?:\.\d+)?)(b|[mgt]b?|[MGT]i?[bB])$/.exec(text) ?? [];
  const unit = DOCKER_UNITS[letters.charAt(0).toLowerCase()];
  if (text.length <= 32 && unit !== undefined) return `${digits}${unit}`;
  if (text.length <= 32 && QUANTITY.test(text) && !text.endsWith('m')) return text;
  throw new Error('it must be a number of bytes such as "64m", "64M" or "16Mi"');
}
