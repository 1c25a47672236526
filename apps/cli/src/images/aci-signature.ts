// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { CliError } from '../errors.ts';
import { readSmallFile } from '../files/read-small-file.ts';
import { quote } from '../render/quote.ts';
import {
  type DetachedSignature,
  GET_AGAIN,
  LARGEST_SIGNATURE_FILE,
  readDetachedSignature,
} from '../trust/detached-signature.ts';
import { openKeystore } from '../trust/keystore.ts';
import type { Session } from '../wiring/session.ts';

/** The bytes of an ACI, as often as they are asked for. */
export interface AciBytes {
  /** What it is called in messages. */
  readonly name: string;
  readonly read: () => AsyncIterable<Uint8Array>;
}

/** A signature of a file, as readDetachedSignature gives it. @throws {CliError} ERR_RKT_CLI_FILE, ERR_RKT_CLI_SIGNATURE_INVALID */
export async function readSignatureFile(path: string): Promise<DetachedSignature> {
  return await readDetachedSignature(readSmallFile(path, LARGEST_SIGNATURE_FILE), path);
}

/** Where the signature of an ACI is by custom. */
export function signatureNameOf(name: string): string {
  return name.endsWith('.aci') ? `${name}.asc` : `${name}.aci.asc`;
}

/** Passes bytes on and says what they were. */
export interface HashedBytes extends AsyncIterable<Uint8Array> {
  /** SHA-256 of what has been read. To be asked for once, at the end. */
  digest(): string;
}

export function hashed(bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): HashedBytes {
  const hash = createHash('sha256');
  return {
    async *[Symbol.asyncIterator]() {
      for await (const chunk of bytes) {
        signal.throwIfAborted();
        // Before it is passed on: whoever gets it may take its memory.
        hash.update(chunk);
        yield chunk;
      }
    },
    digest: () => hash.digest('hex'),
  };
}

export interface VerifyAci {
  readonly signature: DetachedSignature;
  /** What the manifest of the ACI calls it: whose keys count. */
  readonly imageName: string;
  /** SHA-256 of the bytes that were read before; those that are verified have to be the same. */
  readonly digest: string;
}

/**
 * Verifies the signature of an ACI by the keys that are trusted for its name.
 * @throws {CliError} ERR_RKT_CLI_SIGNATURE_INVALID, ERR_RKT_CLI_KEY_INVALID
 */
export async function verifyAci(session: Session, aci: AciBytes, expected: VerifyAci): Promise<void> {
  const { signature, imageName, digest } = expected;
  const keys = await openKeystore(session.globals.keyDirs).keysFor(imageName);
  const bytes = hashed(aci.read(), session.interrupts.signal);
  const subject = `image ${quote(imageName)}`;
  const signer = await withHint(imageName, () =>
    signature.verify(bytes, { keys, subject, date: new Date(session.io.now()) }),
  );
  if (bytes.digest() !== digest) {
    throw new CliError('ERR_RKT_CLI_SIGNATURE_INVALID', `${quote(aci.name)} has changed while it was read`, {
      hint: GET_AGAIN,
    });
  }
  session.note('signature verified:', signer.identities);
}

/**
 * Refuses a signature that none of the keys trusted for the name can have made, before the image is fetched.
 * @throws {CliError} ERR_RKT_CLI_SIGNATURE_INVALID, ERR_RKT_CLI_KEY_INVALID
 */
export async function requireIssuer(session: Session, imageName: string, signature: DetachedSignature): Promise<void> {
  const keys = await openKeystore(session.globals.keyDirs).keysFor(imageName);
  await withHint(imageName, async () => signature.requireIssuer(keys, `image ${quote(imageName)}`));
}

/** The keys of a publisher change; and there may never have been one. */
async function withHint<T>(imageName: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== 'ERR_RKT_CLI_SIGNATURE_INVALID') throw error;
    if (error.hint !== undefined) throw error;
    throw new CliError(error.code, error.message, {
      cause: error.cause,
      hint: `if you know the key that it should be signed by, run 'rkt trust --prefix=${quote(imageName, { marks: false })} [FILE]'`,
    });
  }
}
