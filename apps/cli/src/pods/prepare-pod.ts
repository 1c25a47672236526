// SPDX-License-Identifier: Apache-2.0
import { acVersion, type PodManifest } from '@rkt/appc';
import type { PodId } from '@rkt/stage1';
import type { Lease, Store } from '@rkt/store';
import type { Arguments } from '../args/command.ts';
import type { FlagSpec } from '../args/flag.ts';
import { misreadHint, readImageRequests, requireImages } from '../args/image-requests.ts';
import { type CliError, usageError } from '../errors.ts';
import { readObtainOptions } from '../images/obtain-options.ts';
import type { Session } from '../wiring/session.ts';
import { type ChosenFlavor, chosenFlavor } from './chosen-flavor.ts';
import { obtainImages } from './obtain-images.ts';
import { requireOneApp } from './one-app.ts';
import { readPodEnvironment } from './pod-environment.ts';
import { placesOf, releaseImages, renderTrees } from './pod-images.ts';
import { podManifest } from './pod-manifest.ts';
import { sandboxSpec } from './sandbox-spec.ts';
import { warnOfSharedNames } from './shared-names.ts';

export interface PreparedPod extends AsyncDisposable {
  readonly id: PodId;
}

export interface PrepareRequest {
  /** The flags there are for an image. */
  readonly specs: readonly FlagSpec[];
  /** The pod is to be removed when it has ended. */
  readonly ephemeral: boolean;
  /** The pod is to be left running. */
  readonly detached?: boolean;
  /** The pod is to be run on our standard input, which one app alone can have. */
  readonly interactive: boolean;
}

/**
 * Makes a prepared pod of a command line: fetches what is missing, renders the root filesystems and writes the pod down.
 * Everything that can be wrong with the command line is found before anything is fetched.
 *
 * To be disposed when this process is done with the pod: then its images stay for as long as its directory does.
 */
export async function preparePod(session: Session, args: Arguments, request: PrepareRequest): Promise<PreparedPod> {
  const { flags } = args;
  const { ephemeral } = request;
  const file = flags.text('pod-manifest');
  const flavor = await chosenFlavor(session, flags);
  requireAble(flavor, args, request);
  const makeManifest =
    file === undefined ? await fromImages(session, args, request) : await fromFile(file, args, request);
  const sandbox = sandboxSpec(flags, { flavor, insecure: session.globals.insecure });
  const runtime = await session.runtime();
  // What no image can change is refused before any is fetched.
  runtime.review({ manifest: { acVersion, acKind: 'PodManifest', apps: [] }, sandbox });
  await warnOfSharedNames(session, readImageRequests(args.parts, request.specs));
  const store = await session.store();
  const lease = await store.lease();
  try {
    const manifest = await makeManifest(store, lease);
    for (const notice of runtime.review({ manifest, sandbox })) session.say(`warning: ${notice}`);
    const rootfs = await renderTrees(session, { store, lease, manifest });
    const pod = await runtime.prepare({
      manifest,
      rootfs,
      sandbox,
      ephemeral,
      signal: session.interrupts.signal,
      // From here on the images stay for as long as the pod's directory does, wherever it is renamed to.
      onDirectory: (dir) => lease.bind(placesOf(dir), { durable: !ephemeral }),
    });
    return { id: pod.id, [Symbol.asyncDispose]: () => releaseImages(session, lease) };
  } catch (error) {
    await releaseImages(session, lease);
    throw error;
  }
}

/** What the runtime would refuse once the images are there. */
function requireAble({ name, traits }: ChosenFlavor, { parts }: Arguments, { specs, detached }: PrepareRequest): void {
  const unable = (what: string): CliError =>
    usageError(`flavor ${name} ${what}`, 'the default flavor can: leave --flavor out');
  if (detached === true && !traits.detaches) throw unable('runs apps in the foreground alone, without --detach');
  const apps = readImageRequests(parts, specs).length;
  if (traits.apps === 'one' && apps > 1) throw unable(`runs one app in a pod, got ${apps}`);
}

/** Retains the images of a pod and says what the pod is to be. */
type MakeManifest = (store: Store, lease: Lease) => Promise<PodManifest>;

async function fromImages(
  session: Session,
  args: Arguments,
  { specs, interactive }: PrepareRequest,
): Promise<MakeManifest> {
  const { flags, parts } = args;
  const requests = readImageRequests(parts, specs);
  requireImages(requests);
  if (interactive && requests.length > 1) {
    // With a scheme it is an image for sure.
    const isImage = requests[1]?.image.includes('://');
    requireOneApp(requests.length, isImage ? undefined : misreadHint(requests, 1, { command: session.command, parts }));
  }
  const environment = readPodEnvironment(flags, session.io.env);
  const options = await readObtainOptions(session.io, flags);
  return async (store, lease) => {
    const line = { command: session.command, parts };
    const records = await obtainImages(session, requests, { ...options, line, lease });
    const images = await Promise.all(records.map(({ id }) => store.getImage(id)));
    const apps = requests.flatMap((request, index) => {
      const image = images[index];
      return image === undefined ? [] : [{ image, request }];
    });
    return podManifest({ flags, apps, environment, appendArguments: session.io.env['RKT_APPEND_ARGS'] === '1' });
  };
}

async function fromFile(file: string, args: Arguments, { interactive }: PrepareRequest): Promise<MakeManifest> {
  const { completeManifest, readStatedManifest, refuseConflicts } = await import('./stated-manifest.ts');
  refuseConflicts(args);
  const stated = readStatedManifest(file);
  return async (store, lease) => {
    const manifest = await completeManifest(stated, store, lease);
    if (interactive) requireOneApp(manifest.apps.length);
    return manifest;
  };
}
