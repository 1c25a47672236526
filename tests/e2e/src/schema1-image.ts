// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import type { TestSchema1Image } from '@rkt/registry/testing';
import { layoutFiles } from './layout-files.ts';

/** The image of an OCI layout with gzipped layers as Docker pushed such images before 2017. */
export function schema1Image(layout: string): TestSchema1Image {
  const files = layoutFiles(layout);
  const { config, architecture } = JSON.parse(readFileSync(files.config, 'utf8'));
  const steps = files.layers.map((path) => ({ content: { path }, command: 'COPY' }));
  return { steps: [...steps, { command: '#(nop) CMD' }], config, architecture };
}
