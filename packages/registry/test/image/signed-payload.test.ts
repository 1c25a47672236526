// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { signedPayload } from '../../src/image/signed-payload.ts';
import { isRegistryError } from '../../src/index.ts';
import { sha256, startLoopback } from '../loopback.ts';
import { registryError } from '../registry-error.ts';

const PRETTYJWS = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
const payload = '{\n   "schemaVersion": 1,\n   "name": "x"\n}';
const tail = '\n}';
const length = payload.length - tail.length;
const base64url = (text: string): string => Buffer.from(text).toString('base64url');
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A document as libtrust writes it, with one signature for each protected header. */
function signed(...headers: readonly unknown[]): Uint8Array {
  const signatures = headers.map((header) => ({
    header: { alg: 'ES256' },
    signature: base64url('any'),
    protected: typeof header === 'string' ? header : base64url(JSON.stringify(header)),
  }));
  return encode(`${payload.slice(0, length)},\n   "signatures": ${JSON.stringify(signatures)}${tail}`);
}
const format = { formatLength: length, formatTail: base64url(tail) };

describe('the payload of a manifest', () => {
  it('is what was signed', () => {
    expect(Buffer.from(signedPayload(signed(format), 'r')).toString()).toBe(payload);
    expect(Buffer.from(signedPayload(signed(format, { ...format, time: 'later' }), 'r')).toString()).toBe(payload);
  });

  it.each([payload, '{"schemaVersion":2,"signatures":[]}', '"signatures"', '{"signatures"', ''])(
    'is the document itself where nothing is signed: %s',
    (text) => {
      expect(Buffer.from(signedPayload(encode(text), 'r')).toString()).toBe(text);
    },
  );

  it.each([
    ['no signature', signed()],
    ['several payloads', signed(format, { ...format, formatLength: length - 1 })],
    ['a length of zero', signed({ ...format, formatLength: 0 })],
    ['a length beyond the document', signed({ ...format, formatLength: 1e6 })],
    ['a fractional length', signed({ ...format, formatLength: 1.5 })],
    ['no length', signed({ formatTail: format.formatTail })],
    ['no tail', signed({ formatLength: length })],
    ['a tail that is not base64url', signed({ ...format, formatTail: 'a+b=' })],
    ['a header that is not base64url', signed('%%%%')],
    ['a header that is no JSON', signed(base64url('{'))],
    ['signatures of another kind', encode('{"schemaVersion":1,"signatures":{}}')],
    ['a signature of another kind', encode('{"schemaVersion":1,"signatures":[1]}')],
  ])('cannot be told with %s', async (_name, bytes) => {
    const error = await registryError(() => signedPayload(bytes, 'r'));
    expect(error.code).toBe('ERR_RKT_REGISTRY_MANIFEST_INVALID');
    expect(error.message).toMatch(/signatures/);
  });

  it('is bytes or a RegistryError for any document', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (signatures, header) => {
        for (const bytes of [signed(header), encode(JSON.stringify({ schemaVersion: 1, signatures }))]) {
          try {
            signedPayload(bytes, 'r');
          } catch (error) {
            expect(isRegistryError(error)).toBe(true);
          }
        }
      }),
    );
  });

  it('is what the digest of a fetched manifest is over', async () => {
    await using loopback = await startLoopback();
    loopback.server.putManifest('x', signed(format), { mediaType: PRETTYJWS, tag: 'latest' });
    const fetched = await loopback.client.getManifest(loopback.reference('x'));
    expect(Buffer.from(fetched.bytes).toString()).toBe(payload);
    expect(fetched.descriptor).toEqual({ mediaType: PRETTYJWS, digest: sha256(encode(payload)), size: payload.length });
    expect(await loopback.client.resolve(loopback.reference('x'))).toEqual(fetched.descriptor);
    const pinned = await loopback.client.getManifest(loopback.reference(`x@${fetched.descriptor.digest}`));
    expect(pinned).toEqual(fetched);
  });

  it('must have the digest that was asked for', async () => {
    await using loopback = await startLoopback();
    // As a server would that knows the manifest by the digest of the whole document, which is not the manifest's.
    const document = signed(format);
    const digest = sha256(document);
    loopback.server.fail({
      action: {
        kind: 'respond',
        respond: (_request, response) => response.writeHead(200, { 'content-type': PRETTYJWS }).end(document),
      },
    });
    const error = await registryError(() => loopback.client.getManifest(loopback.reference(`x@${digest}`)));
    expect([error.code, error.actual]).toEqual(['ERR_RKT_REGISTRY_DIGEST_MISMATCH', sha256(encode(payload))]);
  });
});
