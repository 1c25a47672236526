// SPDX-License-Identifier: Apache-2.0
import type { ImageArgument } from '@rkt/refparse';
import type { Platform } from '@rkt/registry';
import type { ImageRecord } from '@rkt/store';
import { CliError, isCliError, usageError } from '../errors.ts';
import { quote } from '../render/quote.ts';
import { redactUrl } from '../wiring/config/redact.ts';
import type { Session } from '../wiring/session.ts';
import { fetchDockerImage } from './fetch-docker-image.ts';
import { refuseFile, refuseOtherForm, withFileHint } from './file-hint.ts';
import { dockerSpelling, imageArgument } from './image-argument.ts';
import { importAciFile, pathOfUrl } from './import-aci.ts';
import { importArchive, importRootfs } from './import-archive.ts';
import { noSuchImage } from './near-name.ts';
import type { ObtainOptions } from './obtain-options.ts';
import { ownPlatform } from './remote-name.ts';
import { requirePlatform } from './require-platform.ts';
import { findStoredImage, isImageNotFound } from './stored-image.ts';

const SIGNED: ReadonlySet<string> = new Set(['path', 'url', 'appc-name']);

/**
 * Gives the image a user asks for, from the store or from where it is to be had.
 * @throws {CliError} ERR_RKT_CLI_SIGNATURE_REQUIRED, ERR_RKT_CLI_SIGNATURE_INVALID, ERR_RKT_CLI_IMAGE_NOT_IN_STORE,
 * ERR_RKT_CLI_DISCOVERY, ERR_RKT_CLI_DOWNLOAD, ERR_RKT_CLI_USAGE, and whatever the registry, the conversion and the store have to say
 */
export async function obtainImage(session: Session, image: string, options: ObtainOptions): Promise<ImageRecord> {
  try {
    const record = await obtain(session, image, options);
    options.progress.onEvent({ type: 'image:stored', image: shownName(image), id: record.id });
    return record;
  } catch (error) {
    throw await withFileHint(session, image, error);
  }
}

/** What a URL asks for may be a secret. */
export function shownName(image: string): string {
  return /^https?:/.test(image) ? redactUrl(image) : image;
}

async function obtain(session: Session, image: string, options: ObtainOptions): Promise<ImageRecord> {
  const argument = imageArgument(image);
  const { platform } = options;
  if (options.signatureFile !== undefined && !SIGNED.has(argument.kind)) {
    throw usageError(`--signature is for ACIs from files and servers, ${quote(image)} is none`);
  }
  switch (argument.kind) {
    case 'docker':
      return fetchDockerImage(session, argument, options);
    case 'oci':
    case 'oci-archive':
    case 'docker-archive':
      return importArchive(session, argument, options);
    case 'rootfs':
      return importRootfs(session, argument, options);
    case 'path':
      return used(session, await importPath(session, argument.path, options), platform);
    case 'url':
      if (argument.url.startsWith('file:'))
        return used(session, await importAciFile(session, pathOfUrl(argument.url), options), platform);
      return used(session, await fetchUrl(session, argument.url, options), platform);
    case 'image-id':
      return used(session, await findStoredImage(await session.store(), image), platform);
    case 'appc-name':
      return obtainByName(session, argument, options);
    case 'stored-name':
      // As a reference does, a name means the image for this machine; an ID or a file is what it is.
      return used(session, await storedByName(session, image, platform), platform ?? ownPlatform());
  }
}

/** What has no signature may be no ACI at all. */
async function importPath(session: Session, path: string, options: ObtainOptions): Promise<ImageRecord> {
  try {
    return await importAciFile(session, path, options);
  } catch (error) {
    if (isCliError(error) && error.code === 'ERR_RKT_CLI_SIGNATURE_REQUIRED') await refuseOtherForm(session, path);
    throw error;
  }
}

/** Collection of images goes by when they were last used. */
async function used(session: Session, image: ImageRecord, platform: Platform | undefined): Promise<ImageRecord> {
  const store = await session.store();
  if (platform !== undefined) await requirePlatform(image, platform);
  await store.touchImage(image.id);
  return image;
}

async function fetchUrl(session: Session, url: string, options: ObtainOptions): Promise<ImageRecord> {
  const { fetchAciUrl } = await import('./fetch-aci-url.ts');
  return await fetchAciUrl(session, url, options);
}

type AppcName = ImageArgument & { readonly kind: 'appc-name' };

/**
 * An image of the store or, if there is none of that name, one that is discovered. What was discovered is discovered again
 * to see whether it has changed, if the pull policy says so; what came otherwise is not.
 */
async function obtainByName(session: Session, argument: AppcName, options: ObtainOptions): Promise<ImageRecord> {
  const { name, original } = argument;
  const labels = Object.fromEntries(argument.labels.map((label) => [label.name, label.value]));
  // As a reference does, a name means the image for this machine, unless it says for which.
  const platform = options.platform ?? (labels['arch'] === undefined ? ownPlatform() : undefined);
  const { discoverImage, discoveredRemote, isDiscoverable } = await import('./discover-image.ts');
  const mayAsk = options.pullPolicy !== 'never' && isDiscoverable(name);
  const store = await session.store();
  const updates = mayAsk && options.pullPolicy === 'update';
  const wasDiscovered = updates && (await discoveredRemote(store, { name, labels }, options)) !== undefined;
  if (!mayAsk) return await used(session, await storedByName(session, original, options.platform), platform);
  const stored = wasDiscovered ? undefined : await findByName(session, original, options.platform);
  if (stored === undefined) await refuseFile(session, original);
  try {
    return await used(session, stored ?? (await discoverImage(session, { name, labels }, options)), platform);
  } catch (error) {
    throw withDockerHint(error, original);
  }
}

/** What is not discovered is most likely a docker image without its scheme. */
function withDockerHint(error: unknown, name: string): unknown {
  const docker = dockerSpelling(name);
  if (!isCliError(error) || error.code !== 'ERR_RKT_CLI_DISCOVERY' || error.hint !== undefined) return error;
  if (docker === undefined) return error;
  return new CliError(error.code, error.message, { cause: error, hint: `for a Docker image write ${docker}` });
}

/** A docker image without its scheme is the likely meaning of what is not there, so that is the hint. */
async function storedByName(session: Session, name: string, platform: Platform | undefined): Promise<ImageRecord> {
  const stored = await findByName(session, name, platform);
  if (stored !== undefined) return stored;
  const docker = dockerSpelling(name);
  throw await noSuchImage(await session.store(), name, {
    message: `no image ${quote(name)} in the store`,
    hint: docker && `for a Docker image write ${docker}`,
  });
}

async function findByName(
  session: Session,
  name: string,
  platform: Platform | undefined,
): Promise<ImageRecord | undefined> {
  try {
    return await findStoredImage(await session.store(), name, platform);
  } catch (error) {
    if (isImageNotFound(error)) return undefined;
    throw error;
  }
}
