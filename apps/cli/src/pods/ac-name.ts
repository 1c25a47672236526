// SPDX-License-Identifier: Apache-2.0
import { quote } from '../render/quote.ts';

/* The grammar of AC Names once more: command lines are read before any library is loaded. */

/** Whether an app or a volume may be called so. */
export function isAcName(text: string): boolean {
  return /^[a-z0-9]+(-+[a-z0-9]+)*$/.test(text);
}

/** Throws an Error that says which characters of a name there may not be, and what it could be instead. */
export function requireAcName(text: string): void {
  if (isAcName(text)) return;
  const wrong = [...new Set(text.match(/[^a-z0-9-]/gu))].map((character) => quote(character)).join(', ');
  const has = wrong === '' ? 'it' : `it has ${wrong}, and`;
  const near = nearestName(text);
  const instead = near === '' ? '' : `: ${near}, for instance`;
  throw new Error(`${has} may only have lower-case letters, digits and inner "-"${instead}`);
}

function nearestName(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/gu, '-')
    .replace(/^-|-$/g, '');
}
