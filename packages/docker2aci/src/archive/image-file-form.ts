// SPDX-License-Identifier: Apache-2.0
import { createReadStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { createLayerIndexer, isAppcError } from '@rkt/appc';
import type { AbortOptions } from '@rkt/registry';
import { isConversionError } from '../errors.ts';
import { toIoError } from '../io-error.ts';
import { defaultConversionLimits } from '../limits.ts';
import { unpackStream } from './unpack-stream.ts';

/** What a file or directory is: the forms that can be read, `directory` for one that is no layout. */
export type ImageFileForm = 'oci' | 'oci-archive' | 'docker-archive' | 'aci' | 'rootfs' | 'directory';

const CHUNK_BYTES = 1024 * 1024;

/**
 * Finds out what a file is that somebody has, by its content; undefined for what is nothing that can be read. An archive is
 * read through, uncompressed as it passes: meant for saying what was wrong with a command line.
 *
 * @throws ConversionError `IO`; `signal.reason`
 */
export async function imageFileForm(path: string, options: AbortOptions = {}): Promise<ImageFileForm | undefined> {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) return isFile(join(path, 'oci-layout')) ? 'oci' : 'directory';
  // What is read of a pipe to look at it is missing afterwards.
  return found?.isFile() === true ? await archiveForm(path, options) : undefined;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

async function archiveForm(path: string, { signal }: AbortOptions): Promise<ImageFileForm | undefined> {
  const indexer = createLayerIndexer();
  const source = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  try {
    const sink = (bytes: Uint8Array): void => indexer.push(bytes);
    await unpackStream(source, { limits: defaultConversionLimits, sink, ...(signal === undefined ? {} : { signal }) });
    return formOf(new Set(indexer.finish().entries.map((entry) => entry.path)));
  } catch (error) {
    signal?.throwIfAborted();
    if (isAppcError(error) || isConversionError(error)) return undefined;
    throw toIoError(error, 'cannot read', path);
  } finally {
    source.destroy();
  }
}

/** Docker has written both since version 25: `manifest.json` has the names. */
function formOf(paths: ReadonlySet<string>): ImageFileForm | undefined {
  if (paths.has('manifest.json') || paths.has('repositories')) return 'docker-archive';
  if (paths.has('oci-layout')) return 'oci-archive';
  if (paths.has('manifest') && paths.has('rootfs')) return 'aci';
  return paths.size === 0 ? undefined : 'rootfs';
}
