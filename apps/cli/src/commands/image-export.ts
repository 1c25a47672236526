// SPDX-License-Identifier: Apache-2.0
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Arguments } from '../args/command.ts';
import { CliError, errnoOf, reasonOf } from '../errors.ts';
import { findStoredImage } from '../images/stored-image.ts';
import { quote } from '../render/quote.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, { flags, operands }: Arguments): Promise<number> {
  const [image = '', file = ''] = operands;
  if (file !== '-' && !file.endsWith('.aci')) {
    throw new CliError('ERR_RKT_CLI_USAGE', `extension of output file ${quote(file)} must be .aci`);
  }
  const store = await session.store('read');
  const { id } = await findStoredImage(store, image);
  const { signal } = session.interrupts;
  const bytes = await packed(session, store.exportImage(id, { signal }), flags.text('compression'));
  if (file === '-') await session.io.writeBytes(bytes);
  else if (flags.boolean('overwrite')) await replaceFile(file, bytes, signal);
  else await createFile(file, file, { bytes, signal });
  return 0;
}

async function packed(
  { libraries }: Session,
  bytes: AsyncIterable<Uint8Array>,
  compression: string | undefined,
): Promise<AsyncIterable<Uint8Array>> {
  return compression === 'gzip' || compression === 'zstd' ? libraries.compressAci(bytes, compression) : bytes;
}

/** The old file stays until the new one is whole. */
async function replaceFile(file: string, bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  await createFile(temporary, file, { bytes, signal });
  await rename(temporary, file);
}

interface Content {
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
}

/** Never writes into a file that is there, and leaves no half of one. */
async function createFile(path: string, shown: string, { bytes, signal }: Content): Promise<void> {
  const stream = createWriteStream(path, { flags: 'wx', mode: 0o644, flush: true });
  try {
    await pipeline(bytes, stream, { signal });
  } catch (error) {
    if (signal.aborted || errnoOf(error) !== 'EEXIST') await rm(path, { force: true });
    if (signal.aborted) throw signal.reason;
    if (errnoOf(error) === undefined) throw error;
    const exists = errnoOf(error) === 'EEXIST';
    const message = exists
      ? 'output ACI file exists (try --overwrite)'
      : `cannot write ${quote(shown)}: ${reasonOf(error)}`;
    throw new CliError('ERR_RKT_CLI_FILE', message, { cause: error });
  }
}
