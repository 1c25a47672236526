// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestSchema1Image } from '@rkt/registry/testing';

interface Descriptor {
  readonly digest: string;
}

/** The image of an OCI layout with gzipped layers as Docker pushed such images before 2017. */
export function schema1Image(layout: string): TestSchema1Image {
  const path = ({ digest }: Descriptor) => join(layout, 'blobs', digest.replace(':', '/'));
  const index: { manifests: [Descriptor] } = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'));
  const manifest: { config: Descriptor; layers: Descriptor[] } = JSON.parse(
    readFileSync(path(index.manifests[0]), 'utf8'),
  );
  const { config, architecture } = JSON.parse(readFileSync(path(manifest.config), 'utf8'));
  const steps = manifest.layers.map((layer) => ({ content: { path: path(layer) }, command: 'COPY' }));
  return { steps: [...steps, { command: '#(nop) CMD' }], config, architecture };
}
