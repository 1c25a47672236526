// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Descriptor {
  readonly digest: string;
}

/** The files of an OCI layout of one image: its layers, as they are compressed, and its configuration. */
export interface LayoutFiles {
  readonly layers: readonly string[];
  readonly config: string;
}

export function layoutFiles(layout: string): LayoutFiles {
  const path = ({ digest }: Descriptor) => join(layout, 'blobs', digest.replace(':', '/'));
  const index: { manifests: [Descriptor] } = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'));
  const manifest: { config: Descriptor; layers: Descriptor[] } = JSON.parse(
    readFileSync(path(index.manifests[0]), 'utf8'),
  );
  return { layers: manifest.layers.map(path), config: path(manifest.config) };
}
