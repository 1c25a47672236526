// SPDX-License-Identifier: Apache-2.0
import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import type { ImageId, TreeNode } from '@rkt/appc';
import type { StoreErrorCode } from '../errors.ts';
import type { Store } from '../store.ts';
import { type Check, fetchImage, rejectsWith } from './contract-case.ts';
import { putAci, sampleAci, sampleImage, sampleLayer } from './sample-image.ts';

const version = { name: 'version', value: '1.2' };
const base = sampleAci(
  { name: 'example.com/base', labels: [version] },
  { etc: 'base', 'lib/one': '1', 'lib/two': '2' },
);

/** ACIs as they come: kept byte for byte, with what they depend on below them. */
export const aciChecks: readonly Check[] = [
  [
    'keeps an ACI as it came, under the name of its manifest',
    async (store) => {
      const record = await putAci(store, base);
      const { id, name, size, layers } = record;
      deepEqual({ id, name, size }, { id: base.received.id, name: 'example.com/base:1.2', size: base.tar.length });
      deepEqual(layers, [base.received.diffId]);
      deepEqual(await exported(store, id), Buffer.from(base.tar));
      deepEqual(Buffer.from((await store.getImage(id)).manifestBytes), Buffer.from(base.received.manifestBytes));
      deepEqual(await pathsOf(store, id), ['etc', 'lib', 'lib/one', 'lib/two']);
      deepEqual(await verified(store), ['image-ok']);
      deepEqual(await putAci(store, base), record);
    },
  ],
  [
    'gives a file for work in progress and takes it away again',
    async (store) => {
      const file = await store.temporaryFile();
      await writeFile(file.path, 'something');
      await file[Symbol.asyncDispose]();
      await rejects(readFile(file.path), { code: 'ENOENT' });
      deepEqual(await store.gc({ graceMs: 0 }), []);
    },
  ],
  [
    'takes a name that looks like a whiteout as a name of an ACI',
    async (store) => {
      const aci = sampleAci({ name: 'example.com/odd' }, { '.wh.a': '', 'd/.wh..wh..opq': '' });
      const { id } = await putAci(store, aci);
      deepEqual(await pathsOf(store, id), ['.wh.a', 'd', 'd/.wh..wh..opq']);
    },
  ],
  [
    'puts an ACI upon what it depends on, in the order it names them',
    async (store) => {
      await putAci(store, base);
      const image = sampleImage('example.com/oci:7', [
        sampleLayer({ 'lib/two': 'low', gone: '' }),
        sampleLayer({ 'lib/two': 'second', '.wh.gone': '' }),
      ]);
      await fetchImage(store, image);
      const top = sampleAci(
        {
          name: 'example.com/top',
          dependencies: [
            { imageName: 'example.com/base', labels: [version] },
            { imageName: 'example.com/oci', imageID: image.put.id },
          ],
        },
        { app: 'top' },
      );
      const { id, layers } = await putAci(store, top);
      deepEqual(layers, [base.received.diffId, ...image.put.layers, top.received.diffId]);
      deepEqual(await pathsOf(store, id), ['app', 'etc', 'lib', 'lib/one', 'lib/two']);
      equal(await sizeOf(store, id, 'lib/two'), 'second'.length);
      deepEqual(await exported(store, id), Buffer.from(top.tar));
    },
  ],
  [
    'finds what an ACI depends on by the name in its manifest, whatever it was put under',
    async (store) => {
      const { layers, put } = sampleImage('registry.example.com/library/base', [sampleLayer({ low: '' })]);
      await fetchImage(store, { layers, put: { ...put, name: 'example.com/library/base:7' } });
      const dependencies = [
        { imageName: 'registry.example.com/library/base', labels: [{ name: 'version', value: '7' }] },
      ];
      const { id } = await putAci(store, sampleAci({ name: 'example.com/top', dependencies }, { app: '' }));
      deepEqual(await pathsOf(store, id), ['app', 'low']);
    },
  ],
  [
    'keeps what an image depends on for as long as that image is there',
    async (store, { advance }) => {
      await putAci(store, base);
      const dependencies = [{ imageName: 'example.com/base' }];
      const { id } = await putAci(store, sampleAci({ name: 'example.com/top', dependencies }, { app: '' }));
      await store.removeImage(base.received.id);
      deepEqual(await pathsOf(store, id), ['app', 'etc', 'lib', 'lib/one', 'lib/two']);
      deepEqual(await verified(store), ['image-ok']);
      await store.removeImage(id);
      advance(48 * 60 * 60 * 1000);
      deepEqual(await store.gc(), []);
    },
  ],
  [
    'shows what path whitelists name and nothing else, each from its image down',
    async (store) => {
      await putAci(store, base);
      const middle = sampleAci(
        {
          name: 'example.com/middle',
          dependencies: [{ imageName: 'example.com/base' }],
          pathWhitelist: ['/etc', '/lib/two', '/bin/middle', '/bin'],
        },
        { 'bin/middle': '', 'bin/unlisted': '' },
      );
      const { id } = await putAci(store, middle);
      deepEqual(await pathsOf(store, id), ['bin', 'bin/middle', 'etc', 'lib', 'lib/two']);
      const dependencies = [{ imageName: 'example.com/middle' }];
      const pathWhitelist = ['/lib/one', '/lib/two', '/top'];
      const top = sampleAci({ name: 'example.com/top', dependencies, pathWhitelist }, { top: '', other: '' });
      deepEqual(await pathsOf(store, (await putAci(store, top)).id), ['lib', 'lib/two', 'top']);
    },
  ],
  [
    'has no use for a version that could not stand in a name',
    async (store) => {
      for (const value of ['\u001b[31m', 'a:b', 'x'.repeat(2000)]) {
        const labels = [{ name: 'version', value }];
        equal(
          (await putAci(store, sampleAci({ name: 'example.com/app', labels }, { a: value }))).name,
          'example.com/app',
        );
      }
    },
  ],
  [
    'refuses an ACI that makes no file system with what it depends on',
    async (store) => {
      const empty = sampleImage('example.com/empty', []);
      await fetchImage(store, empty);
      await putAci(store, base);
      const entries = Object.fromEntries(Array.from({ length: 4000 }, (_, at) => [`file${at}`, '']));
      await putAci(store, sampleAci({ name: 'example.com/large' }, entries));
      const refused = async (code: StoreErrorCode, names: readonly string[], whitelist: string): Promise<void> => {
        const dependencies = names.map((imageName) => ({ imageName }));
        const manifest = { name: 'example.com/top', dependencies, pathWhitelist: [whitelist] };
        await rejectsWith(code, putAci(store, sampleAci(manifest, { app: '' })));
      };
      await refused('ERR_RKT_STORE_TREE_INVALID', ['example.com/empty'], '/../etc');
      await refused('ERR_RKT_STORE_TREE_INVALID', ['example.com/base'], '/../etc');
      for (const [name, times] of [
        ['large', 505],
        ['base', 600],
      ] as const) {
        await refused('ERR_RKT_STORE_TREE_UNSUPPORTED', Array(times).fill(`example.com/${name}`), '/app');
      }
      equal((await store.listImages()).length, 3);
      const layers = await Promise.all((await store.listImages()).map(({ id }) => store.listLayers(id)));
      for (const { id } of await store.gc({ graceMs: -1 })) {
        ok(id.startsWith('sha512-') || layers.flat().some(({ diffId }) => diffId === id), `${id} was kept`);
      }
    },
  ],
  [
    'refuses an ACI whose dependency is not there, and keeps nothing of it',
    async (store) => {
      const missing = [{ imageName: 'example.com/base', labels: [{ name: 'version', value: '2' }] }];
      const top = sampleAci({ name: 'example.com/top', dependencies: missing }, { app: '' });
      await putAci(store, base);
      await rejectsWith('ERR_RKT_STORE_DEPENDENCY_NOT_FOUND', putAci(store, top));
      deepEqual(
        (await store.listImages()).map(({ id }) => id),
        [base.received.id],
      );
    },
  ],
];

async function exported(store: Store, id: ImageId): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.exportImage(id)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

async function verified(store: Store): Promise<readonly string[]> {
  const kinds: string[] = [];
  for await (const { kind } of store.verify()) kinds.push(kind);
  return kinds;
}

async function sizeOf(store: Store, id: ImageId, path: string): Promise<number | undefined> {
  let node: TreeNode = (await store.loadTree(id)).root;
  for (const name of path.split('/')) {
    const child: TreeNode | undefined = node.kind === 'directory' ? node.children.get(name) : undefined;
    if (child === undefined) return undefined;
    node = child;
  }
  return node.kind === 'file' ? node.size : undefined;
}

/** Every path of an image's tree, in byte order. */
async function pathsOf(store: Store, id: ImageId): Promise<readonly string[]> {
  const paths: string[] = [];
  const work = [{ directory: (await store.loadTree(id)).root, path: '' }];
  for (let next = work.pop(); next !== undefined; next = work.pop()) {
    for (const [name, node] of next.directory.children) {
      paths.push(`${next.path}${name}`);
      if (node.kind === 'directory') work.push({ directory: node, path: `${next.path}${name}/` });
    }
  }
  return paths.sort();
}
