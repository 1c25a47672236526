// SPDX-License-Identifier: Apache-2.0
import { appendFileSync, chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageId } from '@rkt/appc';
import { openStore, type StepHook, type Store } from '@rkt/store';
import { putAci, type SampleImage, sampleAci, sampleImage, sampleLayer } from '@rkt/store/testing';
import { putImage } from '../put-image.ts';

const base = sampleLayer({ 'etc/passwd': 'root:x:0:0::/:/bin/sh', 'bin/sh': 'x'.repeat(5000) });

/** Is there before, and must be there after whatever happens. */
export const kept: SampleImage = sampleImage('example.com/kept:1', [base]);
/** What the task is about. */
export const wanted: SampleImage = withConfig(
  sampleImage('example.com/app:1', [base, sampleLayer({ 'bin/app': 'y'.repeat(700) })]),
);

/** An ACI, which stands on an image that is there. */
const aci = sampleAci({ name: 'example.com/aci', dependencies: [{ imageName: 'example.com/kept' }] }, { a: 'a' });

/** Something a user does to a store. */
export interface Task {
  /** What has happened before. */
  prepare(dir: string): Promise<void>;
  run(dir: string, onStep: StepHook): Promise<void>;
  /** What it is about. */
  readonly image: ImageId;
  /** Whether the image may be, or must be, in the store when the task was stopped midway. */
  readonly stopped: 'either' | 'there';
  /** Whether it is there when the task is done. */
  readonly done: boolean;
}

/** By name; processes are told it. */
export const tasks: Readonly<Record<string, Task>> = {
  fetch: {
    // Into a store that has been given to a group.
    prepare: async (dir) => {
      mkdirSync(join(dir, 'cas'), { recursive: true });
      chmodSync(join(dir, 'cas'), 0o2750);
      await opened(dir, (store) => putImage(store, kept));
    },
    run: (dir, onStep) =>
      opened(
        dir,
        async (store) => {
          await putImage(store, wanted);
          await render(store);
        },
        onStep,
      ),
    image: wanted.put.id,
    stopped: 'either',
    done: true,
  },
  'take in an ACI': {
    prepare: async (dir) => await opened(dir, (store) => putImage(store, kept)),
    run: (dir, onStep) => opened(dir, async (store) => void (await putAci(store, aci)), onStep),
    image: aci.received.id,
    stopped: 'either',
    done: true,
  },
  'make a store': {
    prepare: async () => undefined,
    run: (dir, onStep) => opened(dir, async () => undefined, onStep),
    image: wanted.put.id,
    stopped: 'either',
    done: false,
  },
  'fetch under another name': {
    prepare: prepareBoth,
    run: (dir, onStep) =>
      opened(dir, async (store) => void (await store.putImage({ ...wanted.put, name: 'example.com/app:2' })), onStep),
    image: wanted.put.id,
    stopped: 'there',
    done: true,
  },
  remove: {
    prepare: prepareBoth,
    run: (dir, onStep) => opened(dir, async (store) => void (await store.removeImage(wanted.put.id)), onStep),
    image: wanted.put.id,
    stopped: 'either',
    done: false,
  },
  gc: {
    prepare: async (dir) => {
      await prepareBoth(dir);
      await opened(dir, async (store) => void (await store.touchImage(kept.put.id)), undefined, TOMORROW);
      leaveRubbish(dir);
    },
    run: (dir, onStep) => opened(dir, async (store) => void (await store.gc()), onStep, TOMORROW),
    image: wanted.put.id,
    stopped: 'either',
    done: false,
  },
  verify: {
    prepare: async (dir) => {
      await prepareBoth(dir);
      damageWhatFollows(dir);
    },
    run: (dir, onStep) => opened(dir, drainVerify, onStep),
    image: wanted.put.id,
    stopped: 'there',
    done: true,
  },
  'make the database again': {
    prepare: async (dir) => {
      await prepareBoth(dir);
      for (const suffix of ['', '-wal', '-shm']) rmSync(join(dir, `cas/db${suffix}`), { force: true });
    },
    run: (dir, onStep) => opened(dir, async () => undefined, onStep),
    image: wanted.put.id,
    stopped: 'there',
    done: true,
  },
};

const TOMORROW = 25 * 60 * 60 * 1000;

async function opened(
  dir: string,
  work: (store: Store) => Promise<void>,
  onStep?: StepHook,
  laterMs = 0,
): Promise<void> {
  const now = (): Date => new Date(Date.now() + laterMs);
  await using store = await openStore(dir, { now, ...(onStep === undefined ? {} : { onStep }) });
  await work(store);
}

async function prepareBoth(dir: string): Promise<void> {
  await opened(dir, async (store) => {
    await putImage(store, kept);
    await putImage(store, wanted);
    await render(store);
  });
}

/** Both kinds of tree. */
async function render(store: Store): Promise<void> {
  const { id } = wanted.put;
  await using lease = await store.lease();
  await lease.retain(id);
  await store.renderTree(id, { backend: 'erofs', lease });
  await store.renderTree(id, { backend: 'directory', lease });
}

async function drainVerify(store: Store): Promise<void> {
  for await (const _ of store.verify());
}

/** What processes that were killed leave behind. */
function leaveRubbish(dir: string): void {
  const orphan = 'a'.repeat(64);
  mkdirSync(join(dir, 'cas/layers/sha256/aa'), { mode: 0o700 });
  writeFileSync(join(dir, `cas/layers/sha256/aa/${orphan}.tar`), '');
  writeFileSync(join(dir, `cas/layers/sha256/aa/${orphan}.idx`), '');
  mkdirSync(join(dir, `cas/images/sha512-${'b'.repeat(128)}`), { mode: 0o700 });
  writeFileSync(join(dir, `locks/layer-${orphan}`), '');
  writeFileSync(join(dir, 'cas/tmp/of-nobody'), '');
}

/** Damages everything that can be made again from the layer tars. */
function damageWhatFollows(dir: string): void {
  const { id, layers } = wanted.put;
  const hex = layers[1]?.slice('sha256:'.length) ?? '';
  flip(join(dir, 'cas/layers/sha256', hex.slice(0, 2), `${hex}.idx`), 20);
  flip(join(dir, 'cas/trees', `${id}.erofs`), 1100);
  appendFileSync(join(dir, 'cas/trees', id, 'bin/app'), 'more');
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ 0x55;
  writeFileSync(path, bytes);
}

function withConfig({ layers, put }: SampleImage): SampleImage {
  return { layers, put: { ...put, configBytes: Buffer.from('{"os":"linux"}') } };
}
