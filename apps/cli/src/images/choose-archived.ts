// SPDX-License-Identifier: Apache-2.0
import type { ChosenImage, ImageArchive } from '@rkt/docker2aci';
import { formatReference, type LayoutSelector } from '@rkt/refparse';
import { hasCode, usageError } from '../errors.ts';
import type { ArchiveArgument } from './import-archive.ts';

const AMBIGUOUS = 'ERR_RKT_DOCKER2ACI_ARCHIVE_IMAGE_AMBIGUOUS';

/**
 * Which image of an archive is meant, and what it is to be called.
 * @throws {CliError} ERR_RKT_CLI_USAGE where several images could be meant
 * @throws ConversionError ARCHIVE_IMAGE_NOT_FOUND
 */
export async function chooseArchived(argument: ArchiveArgument, archive: ImageArchive): Promise<ChosenImage> {
  const { chooseImage } = await import('@rkt/docker2aci');
  try {
    return chooseImage(archive, selectorOf(argument));
  } catch (error) {
    if (!hasCode(error, AMBIGUOUS)) throw error;
    throw usageError(error.message, `choose one: ${formsOf(argument)}`);
  }
}

function selectorOf(argument: ArchiveArgument): LayoutSelector | undefined {
  if (argument.kind !== 'docker-archive') return argument.selector;
  const { reference } = argument;
  return reference === undefined ? undefined : { kind: 'name', name: formatReference(reference) };
}

function formsOf({ kind, path }: ArchiveArgument): string {
  if (kind === 'docker-archive') return `docker-archive:${path}:NAME:TAG`;
  return `${kind}:${path}:NAME or ${kind}:${path}@DIGEST`;
}
