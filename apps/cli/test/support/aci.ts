// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { tarOf } from './tar.ts';

const END_BYTES = 1024;

/** An ACI with one file. */
export function aciOf(manifest: object, content = 'x'): Buffer {
  const text = JSON.stringify({ acKind: 'ImageManifest', acVersion: '0.8.11', ...manifest });
  return Buffer.concat([tarOf('rootfs/app', content).subarray(0, -END_BYTES), tarOf('manifest', text)]);
}

/** Labels as manifests have them. */
export function labelsOf(labels: Readonly<Record<string, string>>): readonly object[] {
  return Object.entries(labels).map(([name, value]) => ({ name, value }));
}

export function idOf(aci: Uint8Array): string {
  return `sha512-${createHash('sha512').update(aci).digest('hex')}`;
}
