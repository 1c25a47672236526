// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hostPlatform } from '@rkt/registry';
import { type Digest, sha256, tarOf } from './sample-image.ts';
import { temporaryDirectory } from './temporary.ts';

const REF_NAME = 'org.opencontainers.image.ref.name';

/** An image of a layout: an entry of its index for each name, or one without. */
export interface LayoutImage {
  readonly names: readonly string[];
}

/** Writes an OCI image layout for this machine; every image of it is another one. */
export async function writeLayout(images: readonly LayoutImage[]): Promise<string> {
  const layout = await temporaryDirectory();
  await mkdir(join(layout, 'blobs', 'sha256'), { recursive: true });
  const put = async (bytes: Uint8Array): Promise<{ readonly digest: Digest; readonly size: number }> => {
    const digest = sha256(bytes);
    await writeFile(join(layout, 'blobs', 'sha256', digest.slice(7)), bytes);
    return { digest, size: bytes.length };
  };
  const manifests: object[] = [];
  for (const [at, { names }] of images.entries()) {
    const tar = await tarOf({ 'etc/': '', 'etc/number': String(at) });
    const config = { ...hostPlatform(), config: { Cmd: ['sh'] }, rootfs: { type: 'layers', diff_ids: [sha256(tar)] } };
    const manifest = {
      schemaVersion: 2,
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        ...(await put(Buffer.from(JSON.stringify(config)))),
      },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...(await put(tar)) }],
    };
    const entry = {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      ...(await put(Buffer.from(JSON.stringify(manifest)))),
    };
    manifests.push(
      ...(names.length === 0 ? [entry] : names.map((name) => ({ ...entry, annotations: { [REF_NAME]: name } }))),
    );
  }
  await writeFile(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
  return layout;
}
