// SPDX-License-Identifier: Apache-2.0
import { basename, dirname, join } from 'node:path';
import type { PodManifest } from '@rkt/appc';
import type { PodId, RootfsSource } from '@rkt/stage1';
import type { Lease, Store } from '@rkt/store';
import type { Arguments } from '../args/command.ts';
import type { FlagSpec } from '../args/flag.ts';
import { onlyImage, readImageRequests } from '../args/image-requests.ts';
import { reasonOf } from '../errors.ts';
import { obtainImage } from '../images/obtain-image.ts';
import { readObtainOptions } from '../images/obtain-options.ts';
import type { Session } from '../wiring/session.ts';
import { readPodEnvironment } from './pod-environment.ts';
import { podManifest } from './pod-manifest.ts';
import { sandboxSpec } from './sandbox-spec.ts';
import { treeBackend } from './tree-backend.ts';

/** The directories a pod is renamed along in its life. */
const STAGES = ['embryo', 'prepare', 'prepared', 'run', 'exited-garbage', 'garbage'];

export interface PreparedPod extends AsyncDisposable {
  readonly id: PodId;
}

export interface PrepareRequest {
  /** The flags there are for an image. */
  readonly specs: readonly FlagSpec[];
  /** The pod is to be removed when it has ended. */
  readonly ephemeral: boolean;
}

/**
 * Makes a prepared pod of a command line: fetches what is missing, renders the root filesystems and writes the pod down.
 * Everything that can be wrong with the command line is found before anything is fetched.
 *
 * To be disposed when this process is done with the pod: then its images stay for as long as its directory does.
 */
export async function preparePod(session: Session, args: Arguments, request: PrepareRequest): Promise<PreparedPod> {
  const { flags } = args;
  const { specs, ephemeral } = request;
  const app = onlyImage(readImageRequests(args.parts, specs), { command: session.prefix, parts: args.parts });
  const environment = readPodEnvironment(flags, session.io.env);
  const flavor = flags.text('stage1-name') ?? (await session.config()).stage1?.name;
  const sandbox = sandboxSpec(flags, { flavor, insecure: session.globals.insecure });
  const options = await readObtainOptions(session.io, flags);
  const { id } = await obtainImage(session, app.image, options);
  const store = await session.store();
  const lease = await store.lease();
  try {
    await lease.retain(id);
    const image = await store.getImage(id);
    const appendArguments = session.io.env['RKT_APPEND_ARGS'] === '1';
    const manifest = podManifest({ flags, apps: [{ image, request: app }], environment, appendArguments });
    const rootfs = await renderTrees(session, { store, lease, manifest });
    const runtime = await session.runtime();
    const pod = await runtime.prepare({
      manifest,
      rootfs,
      sandbox,
      ephemeral,
      signal: session.interrupts.signal,
      // From here on the images stay for as long as the pod's directory does, wherever it is renamed to.
      onDirectory: (dir) => lease.bind(placesOf(dir), { durable: !ephemeral }),
    });
    return { id: pod.id, [Symbol.asyncDispose]: () => release(session, lease) };
  } catch (error) {
    await release(session, lease);
    throw error;
  }
}

function placesOf(dir: string): readonly string[] {
  const pods = dirname(dirname(dir));
  return STAGES.map((stage) => join(pods, stage, basename(dir)));
}

/** What cannot be written down now, collection finds out by itself: no reason to tell another outcome than there was. */
async function release(session: Session, lease: Lease): Promise<void> {
  try {
    await lease[Symbol.asyncDispose]();
  } catch (error) {
    session.debug(`cannot release the images of the pod: ${reasonOf(error)}`);
  }
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
