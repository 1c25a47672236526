// SPDX-License-Identifier: Apache-2.0
import { type SampleImage, sampleImage, sampleLayer } from '@rkt/store/testing';

/** The same image in every process of a test. */
export function twoLayerImage(): SampleImage {
  const base = sampleLayer({ 'etc/passwd': 'root:x:0:0::/:/bin/sh', 'bin/sh': 'x'.repeat(5000) });
  return sampleImage('example.com/app:1', [base, sampleLayer({ 'bin/app': 'y'.repeat(700) })]);
}
