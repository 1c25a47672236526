// SPDX-License-Identifier: Apache-2.0
import { createMessage, generateKey, type PrivateKey, sign } from 'openpgp';

export interface Signer {
  readonly armoredKey: string;
  readonly fingerprint: string;
  readonly key: PrivateKey;
  /** A detached signature, armored. */
  sign(bytes: Uint8Array, options?: { readonly date?: Date }): Promise<string>;
}

export interface SignerOptions {
  readonly name?: string;
  /** When the key was made, and for how many seconds it is good. */
  readonly date?: Date;
  readonly lifetime?: number;
}

export const made: Date = new Date(Date.UTC(2026, 0, 1));

/** Somebody with a key. */
export async function createSigner({
  name = 'Publisher',
  date = made,
  lifetime = 0,
}: SignerOptions = {}): Promise<Signer> {
  const { privateKey } = await generateKey({
    type: 'curve25519',
    userIDs: [{ name, email: 'publisher@example.com' }],
    format: 'object',
    date,
    keyExpirationTime: lifetime,
  });
  return {
    key: privateKey,
    armoredKey: privateKey.toPublic().armor(),
    fingerprint: privateKey.getFingerprint(),
    sign: async (bytes, { date: signedAt = date } = {}) =>
      await sign({
        message: await createMessage({ binary: bytes }),
        signingKeys: privateKey,
        detached: true,
        format: 'armored',
        date: signedAt,
      }),
  };
}
