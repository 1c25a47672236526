// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync, zstdDecompressSync } from 'node:zlib';
import { convertLayers, openImageFile } from '@rkt/docker2aci';
import { parseReference } from '@rkt/refparse';
import { openStore } from '@rkt/store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aciOf, idOf } from '../support/aci.ts';
import { fakeIo } from '../support/fake-io.ts';
import { fakeWeb } from '../support/fake-web.ts';
import { type Rkt, rktWith } from '../support/run-rkt.ts';

const golden = fileURLToPath(new URL('../../../../packages/docker2aci/test/golden/quirks.oci.tar', import.meta.url));
const insecure = '--insecure-options=image';
let dir: string;
let file: string;
let rkt: Rkt;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-cli-acis-'));
  file = join(dir, 'app.aci');
  rkt = rktWith(dir, fakeWeb().libraries);
});
afterEach(() => rmSync(dir, { recursive: true }));

const aci = aciOf({ name: 'example.com/app', labels: [{ name: 'version', value: '1.2' }] });
const id = idOf(aci);

describe('an ACI file', () => {
  it('keeps its ID and its bytes', async () => {
    writeFileSync(file, gzipSync(aci));
    expect(await rkt(insecure, 'fetch', '--full', file)).toEqual({
      status: 0,
      stdout: `${id}\n`,
      stderr: `rkt: importing image from ${file}\nrkt: imported image as example.com/app:1.2\n`,
    });
    expect((await rkt('image', 'list', '--no-legend', '--fields=name')).stdout).toBe('example.com/app:1.2\n');
    const copy = join(dir, 'copy.aci');
    expect(await rkt('image', 'export', 'example.com/app', copy)).toMatchObject({ status: 0 });
    expect(readFileSync(copy).equals(aci)).toBe(true);
    expect(await rkt('image', 'verify')).toMatchObject({ status: 0 });
    expect((await rkt(insecure, 'fetch', '--full', `file://${file}`)).stdout).toBe(`${id}\n`);
  });

  it.each([
    ['gzip', gunzipSync],
    ['zstd', zstdDecompressSync],
  ] as const)('is exported packed with %s', async (compression, unpack) => {
    writeFileSync(file, aci);
    await rkt(insecure, 'fetch', file);
    const copy = join(dir, 'copy.aci');
    expect(await rkt('image', 'export', `--compression=${compression}`, id, copy)).toMatchObject({ status: 0 });
    expect(unpack(readFileSync(copy)).equals(aci)).toBe(true);
    expect((await rkt(insecure, 'fetch', '--full', copy)).stdout).toBe(`${id}\n`);
  });

  it('may be one of many, one for each layer of an image', async () => {
    const archive = await openImageFile(golden);
    const image = await archive.open(parseReference('quirks'));
    const files: string[] = [];
    for await (const { position, bytes } of convertLayers(image, { tmpDir: dir })) {
      const layer = join(dir, `${position}.aci`);
      await writeFile(layer, bytes);
      files.push(layer);
    }
    expect(files).toHaveLength(5);
    expect(await rkt(insecure, 'fetch', ...files)).toMatchObject({ status: 0 });
    expect(await rkt('image', 'verify')).toMatchObject({ status: 0 });
    await using store = await openStore(join(dir, 'data'));
    const { id: topId, layers } = await store.resolveImage({ name: 'registry-1.docker.io/library/quirks' });
    expect(layers).toHaveLength(5);
    const { children } = (await store.loadTree(topId)).root;
    expect([children.has('hard-late'), children.has('sym-abs'), children.has('.wh.gone')]).toEqual([true, true, false]);
    const opaque = children.get('opq');
    expect(opaque?.kind === 'directory' && [...opaque.children.keys()]).toEqual(['new1']);
  });

  it('comes on standard input, too', async () => {
    const io = fakeIo({ stdin: [aci.subarray(0, 700), aci.subarray(700)] });
    const { status, stdout, stderr } = await rkt.within(io, insecure, 'fetch', '--full', '-');
    expect([status, stdout]).toEqual([0, `${id}\n`]);
    expect(stderr).toBe('rkt: importing image from standard input\nrkt: imported image as example.com/app:1.2\n');
    const { status: refused, stderr: why } = await rkt.within(fakeIo({ tty: true }), insecure, 'fetch', '-');
    expect([refused, why]).toEqual([254, expect.stringContaining('fetch: standard input is a terminal')]);
  });

  it('says what it depends on', async () => {
    const dependencies = [{ imageName: 'example.com/app', labels: [{ name: 'version', value: '1.2' }] }];
    writeFileSync(file, aciOf({ name: 'example.com/top', dependencies }));
    expect((await rkt(insecure, 'fetch', file)).stderr).toContain('discovery failed for "example.com/app"');
    expect(await rkt(insecure, 'fetch', '--pull-policy=never', file)).toEqual({
      status: 254,
      stdout: '',
      stderr:
        `rkt: importing image from ${file}\n` +
        'fetch: image example.com/top depends on example.com/app:1.2, which is not in the store\n' +
        'hint: fetch the image it depends on first\n',
    });
    writeFileSync(join(dir, 'base.aci'), aci);
    expect(await rkt(insecure, 'fetch', join(dir, 'base.aci'), file)).toMatchObject({ status: 0 });
  });

  it.each([
    ['that is not there', undefined, /^fetch: cannot read ".*app\.aci": no such file or directory\n$/m],
    ['that is compressed with xz', Buffer.from('\xfd7zXZ\0', 'latin1'), /compressed with xz[^\n]*\n.*xz -dc FILE.aci/],
    ['that is no ACI', Buffer.from('x'), /cannot use ACI .*: it is neither a tar nor compressed/],
  ])('%s is refused', async (_what, content, message) => {
    if (content !== undefined) writeFileSync(file, content);
    const { status, stdout, stderr } = await rkt(insecure, 'fetch', file);
    expect([status, stdout]).toEqual([254, '']);
    expect(stderr).toMatch(message);
    expect((await rkt('image', 'list', '--no-legend')).stdout).toBe('');
  });
});
