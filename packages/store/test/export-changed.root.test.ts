// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { aciLayerLimits, createLayerIndexer, encodeLayerIndex, type ImageId, splitAciIndex } from '@rkt/appc';
import { openStore, type Store, type UserRange } from '@rkt/store';
import { putAci, type SampleAci, type SampleImage, sampleImage, sampleLayer, tarLayer } from '@rkt/store/testing';
import { describe, expect, it } from 'vitest';
import { putImage } from './put-image.ts';
import { rawTar } from './raw-tar.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { makeEverything } from './trees/support/samples.ts';
import { type SurveyEntry, survey } from './trees/support/survey.ts';
import { packDirectory } from './trees/support/tars.ts';

const manifestBytes = Buffer.from(
  JSON.stringify({ acKind: 'ImageManifest', acVersion: '0.8.11', name: 'example.com/changed' }),
);

interface Changes {
  readonly image: SampleImage;
  readonly upperDir: string;
  readonly users?: UserRange;
}

async function exported(store: Store, { image, upperDir, users }: Changes): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.exportChanged(image.put.id, { manifestBytes, upperDir, users })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What a store shows that knows nothing but the ACI. */
async function shownAgain(tar: Buffer): Promise<readonly SurveyEntry[]> {
  await using store = await openStore(temporaryDirectory());
  const { id } = await putAci(store, received(tar));
  await using lease = await store.lease();
  await lease.retain(id);
  const tree = await store.renderTree(id, { backend: 'directory', lease });
  if (tree.type !== 'directory') throw new Error(`rendered as ${tree.type}`);
  return survey(tree.path);
}

function received(tar: Buffer): SampleAci {
  const indexer = createLayerIndexer(aciLayerLimits);
  indexer.push(tar);
  const index = indexer.finish();
  expect(splitAciIndex(index).manifest.size).toBe(manifestBytes.length);
  const id: ImageId = `sha512-${createHash('sha512').update(tar).digest('hex')}`;
  const diffId = `sha256:${createHash('sha256').update(tar).digest('hex')}`;
  return { tar, received: { id, diffId, size: tar.length, index: encodeLayerIndex(index), manifestBytes } };
}

function emptyUpper(): string {
  const upperDir = join(temporaryDirectory(), 'upper');
  mkdirSync(upperDir);
  return upperDir;
}

/** By steps, as the path may be longer than the kernel takes. */
function makeDeep(directory: string, names: readonly string[]): void {
  execFileSync('mkdir', ['-p', names.join('/')], { cwd: directory });
}

const plainImage = (): SampleImage =>
  sampleImage('example.com/plain:1', [sampleLayer({ 'etc/passwd': 'root', 'etc/group': 'root', 'bin/sh': 'x' })]);

const byPath = (entries: readonly SurveyEntry[]): ReadonlyMap<string, SurveyEntry> =>
  new Map(entries.map((entry) => [entry.path, entry]));

describe('what a pod made of an image', () => {
  it('is exported as the overlay of the kernel shows it, but for sockets', async () => {
    const scratch = temporaryDirectory();
    for (const name of ['source', 'upper', 'work', 'merged']) mkdirSync(join(scratch, name));
    makeEverything(join(scratch, 'source'));
    const tar = join(scratch, 'layer.tar');
    packDirectory(join(scratch, 'source'), tar);
    await using store = await openStore(join(scratch, 'store'));
    const image = sampleImage('example.com/everything:1', [tarLayer(readFileSync(tar))]);
    await putImage(store, image);
    await using lease = await store.lease();
    await lease.retain(image.put.id);
    const tree = await store.renderTree(image.put.id, { backend: 'directory', lease });
    if (tree.type !== 'directory') throw new Error(`rendered as ${tree.type}`);

    const script = fileURLToPath(new URL('processes/change-overlay.ts', import.meta.url));
    const node = [process.execPath, ...process.execArgv, script, tree.path, scratch];
    const printed = execFileSync('unshare', ['--mount', ...node], { maxBuffer: 1 << 28 });
    const seen: readonly SurveyEntry[] = JSON.parse(printed.toString());
    const upperDir = join(scratch, 'upper');
    const bytes = await exported(store, { image, upperDir });
    const again = byPath(
      JSON.parse(
        JSON.stringify(await shownAgain(bytes), (_, value) => (typeof value === 'bigint' ? `${value}` : value)),
      ),
    );

    const kept = seen.filter(({ path }) => path !== 'size-0.socket');
    expect(seen.length).toBe(kept.length + 1);
    expect([...again.keys()]).toEqual(kept.map(({ path }) => path));
    for (const { links, ...entry } of kept) {
      const { links: ours, ...shown } = again.get(entry.path) ?? { links: 0 };
      expect(shown).toEqual(entry);
      // An overlay still counts names of the image that it does not show any more.
      if ((entry.mode & 0o170000) !== 0o40000) expect(ours).toBeLessThanOrEqual(links);
    }
    expect(again.get('another-name')).toMatchObject({ sameAs: 'another-name', links: 2 });
    expect(again.get('second')).toMatchObject({ sameAs: 'another-name', links: 2 });
    expect(again.get('a/b/first')).toMatchObject({ sameAs: 'a/b/first', links: 1 });
    expect((await exported(store, { image, upperDir })).equals(bytes)).toBe(true);
  });

  it('is the image where nothing was written', async () => {
    await using store = await openStore(temporaryDirectory());
    const image = plainImage();
    await putImage(store, image);
    const paths = (await shownAgain(await exported(store, { image, upperDir: emptyUpper() }))).map(({ path }) => path);
    expect(paths).toEqual(['', 'bin', 'bin/sh', 'etc', 'etc/group', 'etc/passwd']);
  });

  it('has the owners that the pod had, also in capabilities and access lists', async () => {
    await using store = await openStore(temporaryDirectory());
    const image = plainImage();
    await putImage(store, image);
    const upperDir = emptyUpper();
    const users = { first: 1_000_000, count: 65_536 };
    const make = (name: string, uid: number, gid: number): void => {
      writeFileSync(join(upperDir, name), name);
      chownSync(join(upperDir, name), uid, gid);
    };
    chownSync(upperDir, 1_000_000, 1_000_000);
    make('roots', 1_000_000, 1_000_000);
    make('last', 1_065_535, 1_000_033);
    make('strange', 0, 1_065_536);
    const set = (name: string, value: string, file: string): void =>
      void execFileSync('setfattr', [`--name=${name}`, `--value=${value}`, join(upperDir, file)]);
    const capability = (rootId: string): string => `0x010000030020000000000000${'00'.repeat(8)}${rootId}`;
    set('security.capability', capability('40420f00'), 'roots');
    set('security.capability', capability('01000000'), 'strange');
    const entry = (tag: string, id: string): string => `${tag}000600${id}`;
    const acl = ['01', '02', '04', '10', '20'].map((tag) => entry(tag, tag === '02' ? '28460f00' : 'ffffffff'));
    set('system.posix_acl_access', `0x02000000${acl.join('')}`, 'last');
    const again = byPath(await shownAgain(await exported(store, { image, upperDir, users })));
    expect(again.get('')).toMatchObject({ uid: 0, gid: 0 });
    expect(again.get('roots')).toMatchObject({ uid: 0, gid: 0 });
    const capabilities = again.get('roots')?.xattrs['security.capability'] ?? '';
    expect(Buffer.from(capabilities, 'latin1').toString('hex')).toBe(`0100000200200000${'00'.repeat(12)}`);
    expect(again.get('last')).toMatchObject({ uid: 65_535, gid: 33 });
    const list = Buffer.from(again.get('last')?.xattrs['system.posix_acl_access'] ?? '', 'latin1');
    expect(list.readUInt32LE(4 + 8 + 4)).toBe(1000);
    expect(again.get('strange')).toMatchObject({ uid: 65_534, gid: 65_534, xattrs: {} });
  });

  it('may have paths as long as those of a layer', async () => {
    await using store = await openStore(temporaryDirectory());
    const image = plainImage();
    await putImage(store, image);
    const upperDir = emptyUpper();
    const lengths = [...Array.from({ length: 15 }, () => 255), 127, 128];
    makeDeep(
      upperDir,
      lengths.map((length) => 'd'.repeat(length)),
    );
    const indexer = createLayerIndexer(aciLayerLimits);
    indexer.push(await exported(store, { image, upperDir }));
    const longest = indexer.finish().entries.reduce((most, { path }) => Math.max(most, path.length), 0);
    expect(longest).toBe('rootfs/'.length + 4096);
    execFileSync('rm', ['-r', upperDir]);
  });

  it('may be deeper than any path the kernel takes', async () => {
    await using store = await openStore(temporaryDirectory());
    const image = plainImage();
    await putImage(store, image);
    const upperDir = emptyUpper();
    const name = 'd'.repeat(250);
    const way = Array.from({ length: 16 }, () => name);
    makeDeep(upperDir, way);
    execFileSync('sh', ['-euc', `${way.map((each) => `cd ${each}`).join('; ')}; printf text > file`], {
      cwd: upperDir,
    });
    const tar = await exported(store, { image, upperDir });
    const indexer = createLayerIndexer(aciLayerLimits);
    indexer.push(tar);
    const file = indexer.finish().entries.find(({ path }) => path.endsWith(`${name}/file`));
    if (file?.kind !== 'file') throw new Error('there is no file');
    expect(tar.toString('latin1', file.extents[0]?.tarOffset, (file.extents[0]?.tarOffset ?? 0) + 4)).toBe('text');
    execFileSync('rm', ['-r', upperDir]);
  });
});

describe('what cannot be exported', () => {
  async function refusal(fill: (upperDir: string) => void): Promise<unknown> {
    await using store = await openStore(temporaryDirectory());
    const image = plainImage();
    await putImage(store, image);
    const upperDir = emptyUpper();
    fill(upperDir);
    return await exported(store, { image, upperDir }).catch((error: unknown) => error);
  }

  it('is what an overlay keeps elsewhere', async () => {
    for (const mark of ['redirect', 'metacopy', 'whiteout']) {
      const error = await refusal((upperDir) => {
        mkdirSync(join(upperDir, 'moved'));
        execFileSync('setfattr', [`--name=trusted.overlay.${mark}`, '--value=/etc', join(upperDir, 'moved')]);
      });
      expect(error).toMatchObject({ code: 'ERR_RKT_STORE_TREE_UNSUPPORTED', subject: 'moved' });
    }
  });

  it('is a file of nothing but a hole that would fill the disk', async () => {
    const error = await refusal((upperDir) => {
      execFileSync('truncate', ['-s', '15T', join(upperDir, 'hole')]);
    });
    expect(error).toMatchObject({
      code: 'ERR_RKT_STORE_TREE_UNSUPPORTED',
      message: expect.stringContaining('holes of 16492674416640 bytes in sparse files, more than 17179869184: hole'),
    });
  });

  it('is more, with what the image has, than one archive may have', async () => {
    await using store = await openStore(temporaryDirectory());
    const size = 2 ** 33 - 1;
    const holes = ['one', 'two'].map((path) => ({ path, content: 'x', sparse: { size, pieces: [[0, 1]] } }) as const);
    const layer = tarLayer(rawTar(holes));
    // The ID would be that of 16 GiB of zeros.
    const image = { layers: [layer], put: { ...plainImage().put, layers: [layer.diffId] } };
    await putImage(store, image);
    const upperDir = emptyUpper();
    execFileSync('truncate', ['-s', '16G', join(upperDir, 'hole')]);
    const chunks = store.exportChanged(image.put.id, { manifestBytes, upperDir })[Symbol.asyncIterator]();
    await expect(chunks.next()).rejects.toMatchObject({
      code: 'ERR_RKT_STORE_TREE_UNSUPPORTED',
      message: expect.stringContaining('could not be fetched again: it has more than 34359738368 bytes'),
    });
  });

  it('is a path that no archive may have', async () => {
    const error = await refusal((upperDir) =>
      makeDeep(
        upperDir,
        Array.from({ length: 17 }, () => 'd'.repeat(255)),
      ),
    );
    expect(error).toMatchObject({
      code: 'ERR_RKT_STORE_TREE_UNSUPPORTED',
      message: expect.stringContaining('a path of 4351 bytes, more than 4096'),
    });
  });

  it('is an image whose layers are damaged: nothing is written then', async () => {
    const dir = temporaryDirectory();
    await using store = await openStore(dir);
    const image = plainImage();
    await putImage(store, image);
    const [layer] = await store.listLayers(image.put.id);
    const tar = readFileSync(layer?.path ?? '');
    tar[600] = (tar[600] ?? 0) ^ 1;
    writeFileSync(layer?.path ?? '', tar);
    let bytes = 0;
    const reading = (async () => {
      const options = { manifestBytes, upperDir: emptyUpper() };
      for await (const chunk of store.exportChanged(image.put.id, options)) bytes += chunk.length;
    })();
    await expect(reading).rejects.toMatchObject({ code: 'ERR_RKT_STORE_CORRUPT' });
    expect(bytes).toBe(0);
  });
});

describe('while it is read', () => {
  it('follows no link that takes the place of what was there', async () => {
    await using store = await openStore(temporaryDirectory());
    const image = plainImage();
    await putImage(store, image);
    for (const swap of [swapFile, swapDirectory, growFile, swapForFifo, swapForFile, rewriteFile]) {
      const upperDir = emptyUpper();
      mkdirSync(join(upperDir, 'etc'));
      // A first file that is more than one chunk: the second is opened when the first chunk has been taken.
      writeFileSync(join(upperDir, 'aaa'), Buffer.alloc(3 << 20));
      writeFileSync(join(upperDir, 'etc/zzz'), 'harmless');
      // As fine as the clock of a filesystem may be.
      await delay(20);
      const chunks: Buffer[] = [];
      const reading = (async () => {
        for await (const chunk of store.exportChanged(image.put.id, { manifestBytes, upperDir })) {
          if (chunks.length === 0) swap(upperDir);
          chunks.push(Buffer.from(chunk));
        }
      })();
      await expect(reading).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_RKT_STORE_/) });
      expect(Buffer.concat(chunks).includes('secret')).toBe(false);
    }
  });

  function swapFile(upperDir: string): void {
    writeFileSync(join(upperDir, '..', 'secret'), 'secret!!');
    rmSync(join(upperDir, 'etc/zzz'));
    symlinkSync(join(upperDir, '..', 'secret'), join(upperDir, 'etc/zzz'));
  }
  function swapDirectory(upperDir: string): void {
    mkdirSync(join(upperDir, '..', 'other'));
    writeFileSync(join(upperDir, '..', 'other/zzz'), 'secret!!');
    rmSync(join(upperDir, 'etc'), { recursive: true });
    symlinkSync(join(upperDir, '..', 'other'), join(upperDir, 'etc'));
  }
  function growFile(upperDir: string): void {
    writeFileSync(join(upperDir, 'etc/zzz'), 'harmless, secret');
  }
  function swapForFile(upperDir: string): void {
    writeFileSync(join(upperDir, 'other'), 'secret!!');
    renameSync(join(upperDir, 'other'), join(upperDir, 'etc/zzz'));
  }
  function rewriteFile(upperDir: string): void {
    writeFileSync(join(upperDir, 'etc/zzz'), 'secret!!');
  }
  function swapForFifo(upperDir: string): void {
    rmSync(join(upperDir, 'etc/zzz'));
    execFileSync('mkfifo', [join(upperDir, 'etc/zzz')]);
  }
});

it('keeps names of one file together that were made in the pod', async () => {
  await using store = await openStore(temporaryDirectory());
  const image = plainImage();
  await putImage(store, image);
  const upperDir = emptyUpper();
  mkdirSync(join(upperDir, 'etc'));
  writeFileSync(join(upperDir, 'etc/one'), 'text');
  linkSync(join(upperDir, 'etc/one'), join(upperDir, 'two'));
  symlinkSync('nowhere', join(upperDir, 'link'));
  linkSync(join(upperDir, 'link'), join(upperDir, 'etc/link'));
  expect(lstatSync(join(upperDir, 'link')).nlink).toBe(2);
  const again = byPath(await shownAgain(await exported(store, { image, upperDir })));
  expect(again.get('two')).toMatchObject({ sameAs: 'etc/one', links: 2 });
  expect(again.get('link')).toMatchObject({ sameAs: 'etc/link', links: 2, target: 'nowhere' });
});
