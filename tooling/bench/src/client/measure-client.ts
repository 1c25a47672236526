// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchImage } from '../arena/images.ts';
import { coldPull, type Row, type Suite } from '../suites.ts';
import type { Puller } from '../tools/tool.ts';
import { curlOpenssl, registryPackage, skopeoDirectory } from './pullers.ts';

/** What the registry client by itself is measured with: many layers, large ones, and one that is larger than memory may grow. */
export const clientImages: readonly BenchImage[] = [
  { name: 'redis', what: 'redis, 7 layers' },
  { name: 'big', what: 'about 1 GB, 9 layers' },
  { name: 'blob', what: 'one blob of 1.2 GB' },
];

export interface ClientRow extends Row {
  /** Of all layers, as they are in the registry. */
  readonly bytes: number;
}

export interface ClientBench {
  /** Where the layouts of the images are, by name. */
  readonly layouts: string;
  readonly registry: string;
  readonly images: readonly BenchImage[];
}

/** Pulls to nowhere, beside what users would take instead and beside the least that can be done. */
export function measureClient(common: Omit<Suite, 'tools'>, what: ClientBench): readonly ClientRow[] {
  const layersOf = (name: string): readonly Layer[] => readLayers(join(what.layouts, name));
  const digestsOf = (image: string) => layersOf(nameOf(image)).map(({ digest }) => digest);
  const tools: readonly Puller[] = [registryPackage(), skopeoDirectory(common.scratch), curlOpenssl(digestsOf)];
  return what.images.map((image) => ({
    ...coldPull({ ...common, tools }, image, `${what.registry}/${image.name}:latest`),
    bytes: layersOf(image.name).reduce((sum, { size }) => sum + size, 0),
  }));
}

interface Layer {
  readonly digest: string;
  readonly size: number;
}

function readLayers(layout: string): readonly Layer[] {
  const read = (path: string) => JSON.parse(readFileSync(join(layout, path), 'utf8'));
  const { digest } = read('index.json').manifests[0];
  return read(join('blobs', digest.replace(':', '/'))).layers;
}

function nameOf(image: string): string {
  return image.slice(image.lastIndexOf('/') + 1).replace(/:latest$/, '');
}
