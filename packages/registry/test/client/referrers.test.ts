// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '@rkt/refparse';
import { describe, expect, it } from 'vitest';
import { sha256, startLoopback } from '../loopback.ts';
import { registryError } from '../registry-error.ts';

const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const indexType = 'application/vnd.oci.image.index.v1+json';
const subjectDigest = sha256(Buffer.from('the subject'));

type Loopback = Awaited<ReturnType<typeof startLoopback>>;

function referrer(artifactType: string, subject: Digest = subjectDigest): Buffer {
  const empty = { mediaType: 'application/vnd.oci.empty.v1+json', digest: sha256(Buffer.from('{}')), size: 2 };
  const of = { mediaType: manifestType, digest: subject, size: 11 };
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      artifactType,
      config: empty,
      layers: [empty],
      subject: of,
    }),
  );
}

async function listed({ client, server }: Loopback, options = {}): Promise<readonly (string | undefined)[]> {
  const types: (string | undefined)[] = [];
  const subject = { domain: server.domain, path: 'r', digest: subjectDigest };
  for await (const { artifactType } of client.listReferrers(subject, options)) types.push(artifactType);
  return types.sort();
}

describe('referrers', () => {
  it('are listed with their types, and those of other manifests are not', async () => {
    await using loopback = await startLoopback();
    for (const type of ['x/sbom', 'x/signature']) {
      loopback.server.putManifest('r', referrer(type), { mediaType: manifestType });
    }
    loopback.server.putManifest('r', referrer('x/other', sha256(Buffer.from('other'))), { mediaType: manifestType });
    expect(await listed(loopback)).toEqual(['x/sbom', 'x/signature']);
  });

  it('are filtered by type here, whatever the registry does with the filter', async () => {
    await using loopback = await startLoopback();
    for (const type of ['x/sbom', 'x/signature']) {
      loopback.server.putManifest('r', referrer(type), { mediaType: manifestType });
    }
    expect(await listed(loopback, { artifactType: 'x/sbom' })).toEqual(['x/sbom']);
    expect(loopback.server.requests.at(-1)?.path).toContain('artifactType=x%2Fsbom');
  });

  it('are found by tag where the registry has no such endpoint', async () => {
    await using loopback = await startLoopback({ referrers: false });
    const bytes = referrer('x/sbom');
    const entry = { mediaType: manifestType, digest: sha256(bytes), size: bytes.length, artifactType: 'x/sbom' };
    const index = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [entry] });
    const tag = subjectDigest.replace(':', '-');
    loopback.server.putManifest('r', Buffer.from(index), { mediaType: indexType, tag });
    expect(await listed(loopback)).toEqual(['x/sbom']);
  });

  it('of which there are none are none, not an error', async () => {
    await using without = await startLoopback({ referrers: false });
    await using withEndpoint = await startLoopback();
    expect([await listed(without), await listed(withEndpoint)]).toEqual([[], []]);
  });

  it('are not followed to another host', async () => {
    await using loopback = await startLoopback();
    const link = '<https://elsewhere.example/next>; rel="next"';
    const body = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [] });
    loopback.server.fail({ path: '/referrers/', action: { kind: 'status', status: 200, headers: { link }, body } });
    const error = await registryError(() => listed(loopback));
    expect(error.code).toBe('ERR_RKT_REGISTRY_REDIRECT_REFUSED');
  });

  it.each([
    ['an image manifest', JSON.stringify({ schemaVersion: 2, config: {}, layers: [] })],
    ['no JSON', 'no'],
    ['an entry without a digest', JSON.stringify({ schemaVersion: 2, manifests: [{ mediaType: 'x', size: 1 }] })],
  ])('that are %s are refused', async (_name, body) => {
    await using loopback = await startLoopback();
    loopback.server.fail({ path: '/referrers/', action: { kind: 'status', status: 200, body } });
    const error = await registryError(() => listed(loopback));
    expect(error.code).toMatch(/MANIFEST_INVALID|UNSUPPORTED_MEDIA_TYPE/);
  });
});
