// SPDX-License-Identifier: Apache-2.0
import type { Platform } from '@rkt/registry';
import type { ImageRecord } from '@rkt/store';
import { CliError } from '../errors.ts';
import { quote } from '../render/quote.ts';
import type { Session } from '../wiring/session.ts';
import { fetchDockerImage } from './fetch-docker-image.ts';
import { dockerSpelling, imageArgument } from './image-argument.ts';
import { importAciFile, pathOfUrl } from './import-aci.ts';
import { importArchive } from './import-archive.ts';
import type { ObtainOptions } from './obtain-options.ts';
import { ownPlatform } from './remote-name.ts';
import { requirePlatform } from './require-platform.ts';
import { findStoredImage, isImageNotFound } from './stored-image.ts';

/**
 * Gives the image a user asks for, from the store or from where it is to be had.
 * @throws {CliError} ERR_RKT_CLI_SIGNATURE_REQUIRED, ERR_RKT_CLI_IMAGE_NOT_IN_STORE, ERR_RKT_CLI_UNSUPPORTED
 * and whatever the registry, the conversion and the store have to say
 */
export async function obtainImage(session: Session, image: string, options: ObtainOptions): Promise<ImageRecord> {
  const record = await obtain(session, image, options);
  options.progress.onEvent({ type: 'image:stored', image, id: record.id });
  return record;
}

async function obtain(session: Session, image: string, options: ObtainOptions): Promise<ImageRecord> {
  const argument = imageArgument(image);
  const { platform } = options;
  switch (argument.kind) {
    case 'docker':
      return fetchDockerImage(session, argument, options);
    case 'oci':
    case 'oci-archive':
    case 'docker-archive':
      return importArchive(session, argument, options);
    case 'path':
      return used(session, await importAciFile(session, argument.path), platform);
    case 'url':
      if (argument.url.startsWith('file:'))
        return used(session, await importAciFile(session, pathOfUrl(argument.url)), platform);
      throw unsupported(image);
    case 'image-id':
      return used(session, await findStoredImage(await session.store(), image), platform);
    case 'appc-name':
    case 'stored-name':
      // As a reference does, a name means the image for this machine; an ID or a file is what it is.
      return used(session, await storedByName(session, image, platform), platform ?? ownPlatform());
  }
}

/** Collection of images goes by when they were last used. */
async function used(session: Session, image: ImageRecord, platform: Platform | undefined): Promise<ImageRecord> {
  const store = await session.store();
  if (platform !== undefined) await requirePlatform(await store.getImage(image.id), platform);
  await store.touchImage(image.id);
  return image;
}

function unsupported(image: string): CliError {
  const message = `cannot fetch ${quote(image)}: ACIs are not fetched from servers yet`;
  return new CliError('ERR_RKT_CLI_UNSUPPORTED', message, {
    hint: 'use docker://NAME, oci:DIRECTORY, oci-archive:FILE, docker-archive:FILE, FILE.aci or the ID of an image of the store',
  });
}

/** Discovery is not there yet; a docker image without its scheme is the likely meaning, so that is the hint. */
async function storedByName(session: Session, name: string, platform: Platform | undefined): Promise<ImageRecord> {
  try {
    return await findStoredImage(await session.store(), name, platform);
  } catch (error) {
    if (!isImageNotFound(error)) throw error;
    const docker = dockerSpelling(name);
    throw new CliError('ERR_RKT_CLI_IMAGE_NOT_IN_STORE', `no image ${quote(name)} in the store`, {
      cause: error,
      ...(docker === undefined ? {} : { hint: `for a Docker image write ${docker}` }),
    });
  }
}
