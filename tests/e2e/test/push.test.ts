// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from 'node:crypto';
import { createRegistry, type Descriptor } from '@rkt/registry';
import { expect, it } from 'vitest';
import { startDockerRegistry } from '../src/docker-registry.ts';

const manifestType = 'application/vnd.oci.image.manifest.v1+json';

function described(mediaType: string, bytes: Uint8Array): Descriptor {
  return { mediaType, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, size: bytes.length };
}

it('writes blobs in chunks and by mounting, and a manifest, to Debian’s docker-registry', async () => {
  await using server = await startDockerRegistry();
  await using client = createRegistry();
  const reference = { domain: server.host, path: 'team/app', tag: '1', digest: undefined };
  const layer = randomBytes(9 << 20);
  const config = Buffer.from('{}');
  const parts = [
    described('application/vnd.oci.image.config.v1+json', config),
    described('application/vnd.oci.image.layer.v1.tar', layer),
  ] as const;
  await client.putBlob(reference, parts[0], { open: () => [config] });
  await client.putBlob(reference, parts[1], { open: () => [layer] });
  const bytes = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config: parts[0], layers: [parts[1]] }),
  );
  const manifest = await client.putManifest(reference, { bytes, mediaType: manifestType });
  expect(await client.resolve(reference)).toEqual(manifest);
  const neighbour = { ...reference, path: 'team/other' };
  const unasked = () => {
    throw new Error('the registry was to take it from its neighbour');
  };
  await client.putBlob(neighbour, parts[1], { open: unasked, mountFrom: 'team/app' });
  let received = 0;
  for await (const chunk of await client.getBlob(neighbour, parts[1])) received += chunk.length;
  expect(received).toBe(layer.length);
});
