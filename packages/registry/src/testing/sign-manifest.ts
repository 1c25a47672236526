// SPDX-License-Identifier: Apache-2.0
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/**
 * Signs a schema 1 manifest as Docker did (JSON web signature, RFC 7515, inside the document), with a key made for it. The
 * payload has to be an indented JSON object.
 */
export function signManifest(payload: Buffer): Buffer {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' });
  const tail = '\n}';
  const formatLength = payload.length - tail.length;
  const protectedHeader = base64url(
    JSON.stringify({ formatLength, formatTail: base64url(tail), time: new Date().toISOString().replace(/\.\d+/, '') }),
  );
  const signed = Buffer.from(`${protectedHeader}.${base64url(payload)}`);
  const signature = {
    header: { jwk: { crv, kid: keyId(publicKey), kty, x, y }, alg: 'ES256' },
    signature: sign('sha256', signed, { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url'),
    protected: protectedHeader,
  };
  const signatures = Buffer.from(`,\n   "signatures": ${JSON.stringify([signature])}${tail}`);
  return Buffer.concat([payload.subarray(0, formatLength), signatures]);
}

function base64url(data: string | Buffer): string {
  return Buffer.from(data).toString('base64url');
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** As libtrust names keys: 240 bits of the SHA-256 of the public key, in base 32, a colon after every four digits. */
function keyId(key: KeyObject): string {
  const hash = createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest();
  const bits = Array.from(hash.subarray(0, 30), (byte) => byte.toString(2).padStart(8, '0')).join('');
  const digits = (bits.match(/.{5}/g) ?? []).map((five) => BASE32[Number.parseInt(five, 2)]).join('');
  return (digits.match(/.{4}/g) ?? []).join(':');
}
