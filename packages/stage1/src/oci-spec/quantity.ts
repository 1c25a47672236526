// SPDX-License-Identifier: Apache-2.0
import { quote } from '../quote.ts';

const factors: Readonly<Record<string, number>> = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

/**
 * A resource quantity as appc takes it from Kubernetes: `500m`, `1.5`, `16Mi`, `1G`.
 *
 * @throws RangeError for anything else, and for what a double cannot hold exactly
 */
export function parseQuantity(text: string): number {
  const match = /^(\d{1,16}(?:\.\d{1,9})?)(m|k|K|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$/.exec(text);
  const factor = factors[match?.[2] ?? ''];
  if (!match || factor === undefined) throw new RangeError(`${quote(text)} is no quantity such as 500m, 1.5 or 16Mi`);
  const value = Number(match[1]) * factor;
  if (value > Number.MAX_SAFE_INTEGER) throw new RangeError(`quantity ${quote(text)} is too large`);
  return value;
}
