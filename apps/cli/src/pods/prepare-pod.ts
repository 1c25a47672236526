// SPDX-License-Identifier: Apache-2.0
import { dirname, join } from 'node:path';
import type { PodManifest } from '@rkt/appc';
import type { Pod, RootfsSource } from '@rkt/stage1';
import type { Lease, Store } from '@rkt/store';
import type { Arguments } from '../args/command.ts';
import type { FlagSpec } from '../args/flag.ts';
import { onlyImage, readImageRequests } from '../args/image-requests.ts';
import { obtainImage } from '../images/obtain-image.ts';
import { readObtainOptions } from '../images/obtain-options.ts';
import type { Session } from '../wiring/session.ts';
import { readPodEnvironment } from './pod-environment.ts';
import { podManifest } from './pod-manifest.ts';
import { sandboxSpec } from './sandbox-spec.ts';
import { treeBackend } from './tree-backend.ts';

/** The directories a pod is renamed along in its life. */
const STAGES = ['embryo', 'prepare', 'prepared', 'run', 'exited-garbage', 'garbage'];

/**
 * Makes a prepared pod of a command line: fetches what is missing, renders the root filesystems and writes the pod down.
 * Everything that can be wrong with the command line is found before anything is fetched.
 */
export async function preparePod(session: Session, args: Arguments, specs: readonly FlagSpec[]): Promise<Pod> {
  const { flags } = args;
  const request = onlyImage(readImageRequests(args.parts, specs), { command: session.prefix, parts: args.parts });
  const environment = readPodEnvironment(flags, session.io.env);
  const flavor = flags.text('stage1-name') ?? (await session.config()).stage1?.name;
  const sandbox = sandboxSpec(flags, { flavor, insecure: session.globals.insecure });
  const options = await readObtainOptions(session.io, flags);
  const { id } = await obtainImage(session, request.image, options);
  const store = await session.store();
  await using lease = await store.lease();
  await lease.retain(id);
  const image = await store.getImage(id);
  const appendArguments = session.io.env['RKT_APPEND_ARGS'] === '1';
  const manifest = podManifest({ flags, apps: [{ image, request }], environment, appendArguments });
  const rootfs = await renderTrees(session, { store, lease, manifest });
  const runtime = await session.runtime();
  return runtime.prepare({
    manifest,
    rootfs,
    sandbox,
    signal: session.interrupts.signal,
    onDirectory: (dir) => bindLease(store, dir, manifest),
  });
}

interface Render {
  readonly store: Store;
  readonly lease: Lease;
  readonly manifest: PodManifest;
}

async function renderTrees(
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

/** From here on the images stay for as long as the pod's directory does, wherever it is renamed to. */
async function bindLease(store: Store, dir: string, { apps }: PodManifest): Promise<void> {
  const id = dir.slice(dir.lastIndexOf('/') + 1);
  const pods = dirname(dirname(dir));
  await using lease = await store.lease({ boundTo: STAGES.map((stage) => join(pods, stage, id)) });
  for (const { image } of apps) await lease.retain(image.id);
}
