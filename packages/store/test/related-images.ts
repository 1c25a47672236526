// SPDX-License-Identifier: Apache-2.0
import { type SampleImage, sampleImage, sampleLayer } from '@rkt/store/testing';

/** Three images, the same in every process, that share some of their layers. */
export function relatedImages(): readonly SampleImage[] {
  const base = sampleLayer({ 'bin/sh': 'x'.repeat(50_000) });
  const middle = sampleLayer({ 'lib/c': 'y'.repeat(20_000) });
  return [[], [middle], [middle, sampleLayer({ 'bin/app': 'z'.repeat(9000) })]].map((layers, at) =>
    sampleImage(`example.com/app${at}:1`, [base, ...layers]),
  );
}
