// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { createMessage, enums, readSignature, revokeKey, sign } from 'openpgp';
import { beforeAll, describe, expect, it } from 'vitest';
import { readDetachedSignature } from '../../src/trust/detached-signature.ts';
import { type PublicKey, readPublicKeys } from '../../src/trust/public-keys.ts';
import { createSigner, made, type Signer } from '../support/openpgp.ts';

const content = Buffer.from('an ACI\r\n');
const later = new Date(made.getTime() + 3600_000);
const DAY = 24 * 3600;
let signer: Signer;
let keys: readonly PublicKey[];
let armored: string;

beforeAll(async () => {
  signer = await createSigner();
  keys = await keysOf(signer.armoredKey);
  armored = await signer.sign(content);
});

function keysOf(text: string): Promise<readonly PublicKey[]> {
  return readPublicKeys(Buffer.from(text), 'key.asc');
}

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += 3) yield Uint8Array.from(bytes.subarray(at, at + 3));
}

interface Case {
  readonly signature?: string | Uint8Array;
  readonly keys?: readonly PublicKey[];
  readonly bytes?: Uint8Array;
  readonly date?: Date;
}

async function verified(given: Case = {}): Promise<string> {
  const bytes = Buffer.from(given.signature ?? armored);
  const signature = await readDetachedSignature(bytes, 'app.aci.asc');
  const options = { keys: given.keys ?? keys, subject: 'image "x"', date: given.date ?? later };
  return (await signature.verify(inPieces(given.bytes ?? content), options)).fingerprint;
}

function refusal(reason: RegExp): object {
  return { code: 'ERR_RKT_CLI_SIGNATURE_INVALID', message: expect.stringMatching(reason) };
}

describe('a detached signature', () => {
  it('is good when a trusted key has made it, armored or not', async () => {
    expect(await verified()).toBe(signer.fingerprint);
    const binary = (await readSignature({ armoredSignature: armored })).write();
    expect(await verified({ signature: binary })).toBe(signer.fingerprint);
  });

  it('may be one of several, of which one is enough', async () => {
    const stranger = await createSigner({ name: 'Stranger' });
    const packets = await Promise.all(
      [await stranger.sign(content), armored].map(async (each) =>
        (await readSignature({ armoredSignature: each })).write(),
      ),
    );
    expect(await verified({ signature: Buffer.concat(packets) })).toBe(signer.fingerprint);
  });

  it('is of these bytes', async () => {
    for (const bytes of [Buffer.from('an ACI\n'), Buffer.from(''), Buffer.concat([content, content])]) {
      await expect(verified({ bytes })).rejects.toMatchObject(
        refusal(/is not to be trusted: Signed digest did not match/),
      );
    }
  });

  it('of somebody who is not trusted says which key it was', async () => {
    const id = signer.fingerprint.slice(-16);
    const reason = new RegExp(`^image "x" is signed by nobody who is trusted: key ${id}$`);
    await expect(verified({ keys: [] })).rejects.toMatchObject(refusal(reason));
    const other = await keysOf((await createSigner()).armoredKey);
    await expect(verified({ keys: other })).rejects.toMatchObject(refusal(reason));
    expect((await readDetachedSignature(Buffer.from(armored), 'x')).isIssuedBy(other)).toBe(false);
    expect((await readDetachedSignature(Buffer.from(armored), 'x')).isIssuedBy([...other, ...keys])).toBe(true);
  });

  it('does not count when its key has expired, also if it was made before', async () => {
    const short = await createSigner({ lifetime: DAY });
    const given = { keys: await keysOf(short.armoredKey), signature: await short.sign(content) };
    expect(await verified(given)).toBe(short.fingerprint);
    const date = new Date(made.getTime() + 2 * DAY * 1000);
    await expect(verified({ ...given, date })).rejects.toMatchObject(refusal(/not to be trusted: .*expired/i));
  });

  it('does not count when its key was revoked', async () => {
    const { publicKey } = await revokeKey({ key: signer.key, date: later, format: 'armored' });
    const revoked = await keysOf(publicKey);
    await expect(verified({ keys: revoked, date: new Date(later.getTime() + 1000) })).rejects.toMatchObject(
      refusal(/not to be trusted: .*revoked/i),
    );
  });

  it('does not come from the future, nor does its key', async () => {
    const date = new Date(made.getTime() - 1000);
    await expect(verified({ date })).rejects.toMatchObject(refusal(/not to be trusted: .*future/));
  });

  it('is none when it signs text with any line ends, or nothing', async () => {
    const message = await createMessage({ text: content.toString() });
    const text = await sign({ message, signingKeys: signer.key, detached: true, date: made });
    const [packet] = (await readSignature({ armoredSignature: text })).packets;
    if (packet?.signatureType === enums.signature.text) {
      await expect(verified({ signature: text })).rejects.toMatchObject(refusal(/it signs no file/));
    }
    const other = await readSignature({ armoredSignature: armored });
    const bytes = other.write();
    // Version, then the type: 2 is a signature that stands alone.
    const type = bytes.indexOf(4) + 1;
    bytes[type] = 2;
    await expect(verified({ signature: bytes })).rejects.toMatchObject(refusal(/it signs no file/));
  });

  it.each([
    ['nothing', ''],
    ['anything else', 'not a signature'],
    ['armor around nothing', '-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n'],
    ['binary nonsense', Buffer.from([0xc2, 0xff, 0xff, 0xff, 0xff, 0xff, 4, 0])],
    ['too much', Buffer.alloc((64 << 10) + 1)],
  ])('is not %s', async (_what, signature) => {
    await expect(verified({ signature })).rejects.toMatchObject(
      refusal(/^"app\.aci\.asc" is no detached OpenPGP signature: /),
    );
  });

  it('is not made of a thousand', async () => {
    const one = (await readSignature({ armoredSignature: armored })).write();
    const signature = Buffer.concat(Array.from({ length: 17 }, () => one));
    await expect(verified({ signature })).rejects.toMatchObject(refusal(/more than 16 signatures/));
  });

  it('that was damaged is refused, whatever the damage', async () => {
    const whole = (await readSignature({ armoredSignature: armored })).write();
    await fc.assert(
      fc.asyncProperty(
        fc.nat(whole.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        async (at, bits, cut) => {
          const damaged = Buffer.from(cut ? whole.subarray(0, at) : whole);
          if (!cut) damaged[at] = (damaged[at] ?? 0) ^ bits;
          try {
            // What is not signed of it may be anything: who it is from, by its own word.
            expect(await verified({ signature: damaged })).toBe(signer.fingerprint);
          } catch (error) {
            expect(error).toMatchObject({ code: 'ERR_RKT_CLI_SIGNATURE_INVALID' });
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('a file of public keys', () => {
  it('may hold several, and be armored or not', async () => {
    const other = await createSigner({ name: 'Other\u001b[2J' });
    const both = Buffer.concat([signer.key.toPublic().write(), other.key.toPublic().write()]);
    const read = await readPublicKeys(both, 'keys.gpg');
    expect(read.map(({ fingerprint }) => fingerprint)).toEqual([signer.fingerprint, other.fingerprint]);
    expect(read[0]?.armored).toContain('-----BEGIN PGP PUBLIC KEY BLOCK-----');
    expect((await keysOf(signer.armoredKey))[0]?.armored).toBe(signer.armoredKey);
  });

  it.each<[string, () => string | Uint8Array, RegExp]>([
    ['nothing', () => '', /^"key\.asc" is no file of OpenPGP public keys: /],
    ['a private key', () => signer.key.armor(), /holds a private key/],
    ['too much', () => Buffer.alloc((1 << 20) + 1), /larger than 1048576 bytes/],
    ['a signature', () => armored, /is no file of OpenPGP public keys/],
    ['a key that is cut off', () => signer.key.toPublic().write().subarray(0, 40), /is no file of OpenPGP public keys/],
    [
      'too many',
      () => Buffer.concat(Array.from({ length: 33 }, () => signer.key.toPublic().write())),
      /more than 32 keys/,
    ],
  ])('is not %s', async (_what, text, message) => {
    await expect(readPublicKeys(Buffer.from(text()), 'key.asc')).rejects.toMatchObject({
      code: 'ERR_RKT_CLI_KEY_INVALID',
      message: expect.stringMatching(message),
    });
  });
});

describe('a file of several armored blocks', () => {
  it('has the keys of all of them, each in a form of its own', async () => {
    const other = await createSigner({ name: 'Other' });
    const read = await keysOf(`first\n${signer.armoredKey}\nsecond\r\n${other.armoredKey.replaceAll('\n', '\r\n')}`);
    expect(read.map(({ fingerprint }) => fingerprint)).toEqual([signer.fingerprint, other.fingerprint]);
    for (const key of read)
      expect((await keysOf(key.armored)).map((each) => each.fingerprint)).toEqual([key.fingerprint]);
  });

  it('has the signatures of all of them', async () => {
    const stranger = await createSigner({ name: 'Stranger' });
    expect(await verified({ signature: `${await stranger.sign(content)}\n${armored}` })).toBe(signer.fingerprint);
  });

  it('is refused where it ends in the middle of one, has a private one, or has too many', async () => {
    const other = await createSigner({ name: 'Other' });
    const refused = async (text: string): Promise<unknown> =>
      keysOf(text).then(
        () => 'read',
        (error) => error.message,
      );
    expect(await refused(signer.armoredKey + other.armoredKey.slice(0, -40))).toContain('in the middle of an armored');
    expect(await refused(signer.armoredKey + other.key.armor())).toContain('it holds a private key');
    const began = performance.now();
    expect(await refused('-----BEGIN PGP PUBLIC KEY BLOCK-----\n'.repeat(25_000))).toContain('more than 32 armored');
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});
