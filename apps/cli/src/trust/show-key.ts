// SPDX-License-Identifier: Apache-2.0
import { oneLine } from '../render/quote.ts';
import type { PublicKey } from './public-keys.ts';

const MOST_SHOWN = 20;

/** A key for a person to compare: its fingerprints in groups, and whose it says it is. */
export function keyLines({ fingerprint, subkeys, identities }: PublicKey): readonly string[] {
  return [
    `gpg key fingerprint is: ${groups(fingerprint)}`,
    ...subkeys.slice(0, MOST_SHOWN).map((subkey) => `    Subkey fingerprint: ${groups(subkey)}`),
    ...identities.slice(0, MOST_SHOWN).map((identity) => `\t${oneLine(identity)}`),
  ];
}

/** As gpg and the original have it: `BFF3 13CD AA56 0B16 A898  7B8F 72AB F5F6 799D 33BC`. */
function groups(fingerprint: string): string {
  const fours = fingerprint.toUpperCase().match(/.{1,4}/g) ?? [];
  const middle = fours.length / 2;
  return `${fours.slice(0, middle).join(' ')}  ${fours.slice(middle).join(' ')}`;
}
