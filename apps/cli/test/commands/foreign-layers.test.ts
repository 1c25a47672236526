// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostPlatform } from '@rkt/registry';
import { startTestRegistry } from '@rkt/registry/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Rkt, rktWith } from '../support/run-rkt.ts';
import { layerOf } from '../support/tar.ts';

const TYPE = 'application/vnd.oci.image';
let dir: string;
let rkt: Rkt;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-cli-foreign-'));
  rkt = rktWith(dir);
});
afterEach(() => rmSync(dir, { recursive: true }));

describe('an image with a foreign layer', () => {
  it('is fetched whole with --allow-foreign-layers alone; else the hint says so and nothing is kept', async () => {
    await using registry = await startTestRegistry();
    await using elsewhere = await startTestRegistry();
    const { content, diffId } = layerOf('etc/foreign', 'x');
    const layer = await elsewhere.putBlob('layers', content);
    const config = { ...hostPlatform(), rootfs: { type: 'layers', diff_ids: [diffId] } };
    const placed = await registry.putBlob('app', new TextEncoder().encode(JSON.stringify(config)));
    const urls = [`${elsewhere.origin}/v2/layers/blobs/${layer.digest}`];
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: `${TYPE}.manifest.v1+json`,
      config: { mediaType: `${TYPE}.config.v1+json`, ...placed },
      layers: [{ mediaType: `${TYPE}.layer.nondistributable.v1.tar+gzip`, ...layer, urls }],
    });
    const bytes = new TextEncoder().encode(manifest);
    registry.putManifest('app', bytes, { mediaType: `${TYPE}.manifest.v1+json`, tag: 'latest' });
    const fetch = (...flags: readonly string[]) =>
      rkt('--insecure-options=image', 'fetch', '--quiet', ...flags, `docker://${registry.domain}/app`);

    const refused = await fetch();
    expect([refused.status, refused.stdout, elsewhere.requests]).toEqual([254, '', []]);
    expect(refused.stderr).toContain(`it is a foreign layer that is kept at ${elsewhere.domain}`);
    expect(refused.stderr).toMatch(/\nhint: .*--allow-foreign-layers\n$/);
    expect((await rkt('image', 'list', '--no-legend')).stdout).toBe('');

    const { status, stdout } = await fetch('--allow-foreign-layers');
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^sha512-[0-9a-f]{32}\n$/)]);
    expect(elsewhere.requests).toHaveLength(1);
  });
});
