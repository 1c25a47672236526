// SPDX-License-Identifier: Apache-2.0
import type { KeyID, SignaturePacket } from 'openpgp';
import { CliError } from '../errors.ts';
import { quote } from '../render/quote.ts';
import { readOpenPgpFile } from './openpgp-file.ts';
import type { PublicKey } from './public-keys.ts';

/** What has been read of a signature that is a file of its own. */
export interface DetachedSignature {
  /** What it is called in messages. */
  readonly name: string;
  /** Whether any of the keys may have made it, by what it says itself. */
  isIssuedBy(keys: readonly PublicKey[]): boolean;
  /** Throws where none of the keys can have made it. @throws {CliError} ERR_RKT_CLI_SIGNATURE_INVALID */
  requireIssuer(keys: readonly PublicKey[], subject: string): void;
  /**
   * The key that has signed the bytes.
   * @throws {CliError} ERR_RKT_CLI_SIGNATURE_INVALID; what `signed` throws
   */
  verify(signed: AsyncIterable<Uint8Array>, options: VerifyOptions): Promise<PublicKey>;
}

export interface VerifyOptions {
  /** The only keys that count. */
  readonly keys: readonly PublicKey[];
  /** What is signed, for messages. */
  readonly subject: string;
  /** The moment for which keys and signature have to be valid. */
  readonly date: Date;
}

/** Bytes of the file. */
export const LARGEST_SIGNATURE_FILE: number = 64 << 10;
const MOST_SIGNATURES = 16;
/** OpenPGP, RFC 9580, section 5.2.1.1: of bytes as they are. Other kinds sign text with any line ends, or nothing at all. */
const BINARY_DOCUMENT = 0;

/**
 * Reads a detached signature, armored or not.
 * @throws {CliError} ERR_RKT_CLI_SIGNATURE_INVALID for what is none, is larger than 64 KiB or more than 16 signatures
 */
export async function readDetachedSignature(bytes: Uint8Array, name: string): Promise<DetachedSignature> {
  const refuse = (reason: string, cause?: unknown): CliError =>
    new CliError('ERR_RKT_CLI_SIGNATURE_INVALID', `${quote(name)} is no detached OpenPGP signature: ${reason}`, {
      cause,
    });
  const { readSignature } = await import('openpgp');
  const largest = LARGEST_SIGNATURE_FILE;
  const all = await readOpenPgpFile<SignaturePacket>(bytes, { largest, refuse }, async (part) => {
    const { packets } = await ('binary' in part
      ? readSignature({ binarySignature: part.binary })
      : readSignature({ armoredSignature: part.armored }));
    return [...packets];
  });
  const packets = all.filter(isDocumentSignature);
  if (packets.length === 0) throw refuse('it signs no file');
  if (packets.length > MOST_SIGNATURES) throw refuse(`it has more than ${MOST_SIGNATURES} signatures`);
  const issuedBy = (keys: readonly PublicKey[]): readonly PublicKey[] =>
    keys.filter(({ key }) => packets.some(({ issuerKeyID }) => key.getKeys(issuerKeyID).length > 0));
  return {
    name,
    isIssuedBy: (keys) => issuedBy(keys).length > 0,
    requireIssuer: (keys, subject) => {
      if (issuedBy(keys).length === 0) throw unknownIssuer(packets, subject);
    },
    verify: (signed, options) => verify(name, packets, signed, { ...options, keys: issuedBy(options.keys) }),
  };
}

/** Of what the library could not read it keeps a packet without a type. */
function isDocumentSignature(packet: SignaturePacket): boolean {
  return packet.signatureType === BINARY_DOCUMENT;
}

async function verify(
  name: string,
  packets: readonly SignaturePacket[],
  signed: AsyncIterable<Uint8Array>,
  { keys, subject, date }: VerifyOptions,
): Promise<PublicKey> {
  if (keys.length === 0) throw unknownIssuer(packets, subject);
  const openpgp = await import('openpgp');
  const list = new openpgp.PacketList<SignaturePacket>();
  list.push(...packets);
  const { data, signatures } = await openpgp.verify({
    message: await openpgp.createMessage({ binary: ReadableStream.from(signed) }),
    signature: new openpgp.Signature(list),
    verificationKeys: keys.map(({ key }) => key),
    format: 'binary',
    date,
  });
  // None of these rejects: nobody waits for them before the end.
  const verdicts = Promise.all(signatures.map((each) => judge(each, keys, date)));
  await readToEnd(data);
  const judged = (await verdicts).filter((verdict) => verdict !== undefined);
  const good = judged.find((verdict) => !(verdict instanceof Error));
  if (good !== undefined && !(good instanceof Error)) return good;
  const [cause] = judged;
  const reason = cause instanceof Error ? cause.message : 'nothing of it could be verified';
  const message = `signature ${quote(name)} of ${subject} is not to be trusted: ${reason}`;
  throw new CliError('ERR_RKT_CLI_SIGNATURE_INVALID', message, {
    cause,
    ...(isOfOtherBytes(reason) ? { hint: GET_AGAIN } : {}),
  });
}

/** What to do about bytes that are not those that were signed. */
export const GET_AGAIN =
  'it is not what was signed: get the image and its signature again, and do not use it if that does not help';

/** What openpgp says where the signature is whole and the signer known. */
function isOfOtherBytes(reason: string): boolean {
  return /digest did not match|signature verification failed/i.test(reason);
}

/** Who has made a signature, why it does not count, or undefined for one of somebody else. */
async function judge(
  { verified, keyID }: { readonly verified: Promise<true>; readonly keyID: KeyID },
  keys: readonly PublicKey[],
  date: Date,
): Promise<PublicKey | Error | undefined> {
  const signer = keys.find(({ key }) => key.getKeys(keyID).length > 0);
  try {
    await verified;
    // That was asked for the day of the signature, which its maker may choose: a key that leaked goes on signing then.
    await signer?.key.verifyPrimaryKey(date);
    await signer?.key.getSigningKey(keyID, date);
    return signer;
  } catch (error) {
    if (signer === undefined) return undefined;
    return error instanceof Error ? error : new Error(String(error));
  }
}

/**
 * What is signed is hashed while it is read, and the library does not read it by itself. By `getReader`, which it replaces;
 * to a `for await` its streams are locked.
 */
async function readToEnd(data: unknown): Promise<void> {
  if (!(data instanceof ReadableStream)) throw new TypeError('the message is not streamed');
  const reader = data.getReader();
  while (!(await reader.read()).done);
}

function unknownIssuer(packets: readonly SignaturePacket[], subject: string): CliError {
  const ids = packets.map(({ issuerKeyID }) => issuerKeyID.toHex()).join(', ');
  return new CliError('ERR_RKT_CLI_SIGNATURE_INVALID', `${subject} is signed by nobody who is trusted: key ${ids}`);
}
