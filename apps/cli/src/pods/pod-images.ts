// SPDX-License-Identifier: Apache-2.0
import { basename, dirname, join } from 'node:path';
import type { PodManifest } from '@rkt/appc';
import type { RootfsSource } from '@rkt/stage1';
import type { Lease, Store } from '@rkt/store';
import { reasonOf } from '../errors.ts';
import type { Session } from '../wiring/session.ts';
import { treeBackend } from './tree-backend.ts';

/** The directories a pod is renamed along in its life. */
const STAGES = ['embryo', 'prepare', 'prepared', 'run', 'exited-garbage', 'garbage'];

/** Every place the directory of a pod may be in: what is bound to them is kept for as long as it is in one. */
export function placesOf(dir: string): readonly string[] {
  const pods = dirname(dirname(dir));
  return STAGES.map((stage) => join(pods, stage, basename(dir)));
}

/** What cannot be written down now, collection finds out by itself: no reason to tell another outcome than there was. */
export async function releaseImages(session: Session, lease: Lease): Promise<void> {
  try {
    await lease[Symbol.asyncDispose]();
  } catch (error) {
    session.debug(`cannot release the images of the pod: ${reasonOf(error)}`);
  }
}

interface Render {
  readonly store: Store;
  readonly lease: Lease;
  readonly manifest: Pick<PodManifest, 'apps'>;
}

/** A root filesystem for every app of a manifest, from the images the lease retains. */
export async function renderTrees(
  session: Session,
  { store, lease, manifest }: Render,
): Promise<Readonly<Record<string, RootfsSource>>> {
  const backend = await treeBackend(session);
  const { signal } = session.interrupts;
  const trees: Record<string, RootfsSource> = {};
  for (const { name, image } of manifest.apps) {
    trees[name] = await store.renderTree(image.id, { backend, lease, signal });
  }
  return trees;
}
