// SPDX-License-Identifier: Apache-2.0
import type { PublicKey as OpenPgpKey } from 'openpgp';
import { CliError } from '../errors.ts';
import { quote } from '../render/quote.ts';
import { readOpenPgpFile } from './openpgp-file.ts';

/** A public key with its subkeys, as OpenPGP has them. */
export interface PublicKey {
  /** Lower-case hex digits: 40 of them, of version 6 of OpenPGP 64. */
  readonly fingerprint: string;
  readonly subkeys: readonly string[];
  /** `Name <address>`, as whoever made the key wrote it. */
  readonly identities: readonly string[];
  /** In the form in which keys are kept. */
  readonly armored: string;
  readonly key: OpenPgpKey;
}

/** Bytes. A key that a thousand people have signed has less. */
export const LARGEST_KEY_FILE: number = 1 << 20;
const MOST_KEYS = 32;

/**
 * The keys of a file, armored or not. Nothing is said here of what they are worth: whether one has expired shows when it is
 * used. `name` is what the file is called in messages.
 * @throws {CliError} ERR_RKT_CLI_KEY_INVALID for what is no public key, is larger than 1 MiB or has more than 32 keys
 */
export async function readPublicKeys(bytes: Uint8Array, name: string): Promise<readonly PublicKey[]> {
  const refuse = (reason: string, cause?: unknown): CliError =>
    new CliError('ERR_RKT_CLI_KEY_INVALID', `${quote(name)} is no file of OpenPGP public keys: ${reason}`, { cause });
  const { readKeys } = await import('openpgp');
  let armored: string | undefined;
  const keys = await readOpenPgpFile<OpenPgpKey>(bytes, { largest: LARGEST_KEY_FILE, refuse }, async (part) => {
    if ('binary' in part) return await readKeys({ binaryKeys: part.binary });
    armored = part.armored;
    return await readKeys({ armoredKeys: part.armored });
  });
  const [first] = keys;
  if (first === undefined) throw refuse('it has none');
  if (keys.length > MOST_KEYS) throw refuse(`it has more than ${MOST_KEYS} keys`);
  if (keys.some((key) => key.isPrivate())) throw refuse('it holds a private key, which is nobody else’s to have');
  if (keys.some((key) => key.users.length === 0 && directSignatures(key).length === 0)) {
    throw refuse('it ends in the middle of a key, or has one that was never meant to sign');
  }
  const asItCame = keys.length === 1 ? armored : undefined;
  return keys.map((key) => ({
    fingerprint: key.getFingerprint(),
    subkeys: key.getSubkeys().map((subkey) => subkey.getFingerprint()),
    identities: key.getUserIDs(),
    armored: asItCame ?? key.armor(),
    key,
  }));
}

/** Those on the key itself, which the types of openpgp leave out. */
function directSignatures(key: OpenPgpKey): readonly unknown[] {
  const signatures: unknown = Reflect.get(key, 'directSignatures');
  return Array.isArray(signatures) ? signatures : [];
}
