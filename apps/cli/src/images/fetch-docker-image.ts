// SPDX-License-Identifier: Apache-2.0
import type { ImageArgument, Reference } from '@rkt/refparse';
import type { ImageRecord, RemoteRecord, Store } from '@rkt/store';
import { CliError } from '../errors.ts';
import type { RemoteImage } from '../wiring/libraries.ts';
import type { Session } from '../wiring/session.ts';
import type { ObtainOptions } from './obtain-options.ts';
import { remoteName } from './remote-name.ts';
import { storeImage } from './store-image.ts';
import { notInStore } from './stored-image.ts';

type DockerArgument = ImageArgument & { readonly kind: 'docker' };

/**
 * The image of a docker reference, by the pull policy: `new` asks the registry only for what the store does not have,
 * `update` compares digests first (one HEAD request) and transfers nothing if nothing changed, `never` asks nobody. An
 * image of another platform is another image.
 */
export async function fetchDockerImage(
  session: Session,
  argument: DockerArgument,
  options: ObtainOptions,
): Promise<ImageRecord> {
  const store = await session.store();
  const name = remoteName(argument.reference, options.platform);
  const known = await storedRemote(store, name);
  if (known !== undefined && options.pullPolicy !== 'update') return use(session, store, known);
  if (options.pullPolicy === 'never') throw notInStore(argument.original);
  // What is in the store was accepted when it came: only what is to come needs consent.
  if (known !== undefined && (await isUnchanged(session, store, { argument, known })))
    return use(session, store, known);
  requireInsecure(session);
  session.note(`fetching image from ${argument.original}`);
  session.reminder('image signature verification has been disabled');
  // It starts while the registry is asked, when there is little else to do.
  await using spare = await session.libraries.spareWorker();
  const remote = await openRemote(session, argument.reference, options);
  return await storeImage(session, remote.image, {
    ...options,
    source: 'registry',
    spare,
    remote: { name, digest: remote.digest, checkedAt: session.io.now() },
  });
}

async function openRemote(session: Session, reference: Reference, options: ObtainOptions): Promise<RemoteImage> {
  const registry = await session.registry();
  const { signal } = session.interrupts;
  const { platform, allowForeign, progress } = options;
  const wanted = {
    signal,
    allowForeign,
    onProgress: progress.onEvent,
    ...(platform === undefined ? {} : { platform }),
  };
  try {
    return await registry.open(reference, wanted);
  } finally {
    progress.end();
  }
}

/** What the store remembers of a reference, if the image itself is still there. */
export async function storedRemote(store: Store, name: string): Promise<RemoteRecord | undefined> {
  const remote = await store.getRemote(name);
  if (remote === undefined) return undefined;
  const images = await store.listImages();
  return images.some(({ id }) => id === remote.imageId) ? remote : undefined;
}

async function use(session: Session, store: Store, remote: RemoteRecord): Promise<ImageRecord> {
  session.debug(`using image from local store for url ${remote.name}`);
  await store.touchImage(remote.imageId);
  return store.resolveImage({ prefix: remote.imageId });
}

interface Known {
  readonly argument: DockerArgument;
  readonly known: RemoteRecord;
}

/** A digest never means anything else, so only tags are asked for. */
async function isUnchanged(session: Session, store: Store, { argument, known }: Known): Promise<boolean> {
  if (argument.reference.digest !== undefined) return true;
  const registry = await session.registry();
  const digest = await registry.resolve(argument.reference, session.interrupts.signal);
  if (digest !== known.digest) return false;
  await store.putRemote({ ...known, checkedAt: session.io.now() });
  return true;
}

function requireInsecure(session: Session): void {
  if (session.globals.insecure.has('image')) return;
  throw new CliError(
    'ERR_RKT_CLI_SIGNATURE_REQUIRED',
    'signature verification for docker images is not supported (try --insecure-options=image)',
  );
}
