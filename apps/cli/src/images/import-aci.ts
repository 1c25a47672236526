// SPDX-License-Identifier: Apache-2.0
import { fileURLToPath } from 'node:url';
import type { ReceiveAciOptions, ReceivedAci } from '@rkt/docker2aci';
import type { ImageRecord } from '@rkt/store';
import { CliError } from '../errors.ts';
import { quote } from '../render/quote.ts';
import type { Session } from '../wiring/session.ts';
import { readFile, terminalInput } from './file-input.ts';
import { importNamed } from './import-named.ts';

const COMPRESSION = 'ERR_RKT_DOCKER2ACI_UNSUPPORTED_COMPRESSION';

/** Takes an ACI from a file into the store, as it is: its ID is that of the original rkt. */
export async function importAciFile(session: Session, path: string): Promise<ImageRecord> {
  requireInsecure(session);
  session.note(`importing image from ${path}`);
  return importAci(session, path, readFile(path));
}

/** The same from standard input, which is not looked at where a person would have to type it. */
export async function importAciFromInput(session: Session): Promise<ImageRecord> {
  requireInsecure(session);
  if (session.io.stdinIsTTY) throw terminalInput('an ACI');
  session.note('importing image from standard input');
  return importAci(session, 'standard input', session.io.readBytes());
}

/** The path a `file:` URL names. @throws {CliError} ERR_RKT_CLI_USAGE for that of another host */
export function pathOfUrl(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (error) {
    throw new CliError('ERR_RKT_CLI_USAGE', `${quote(url)} names no file of this host`, { cause: error });
  }
}

async function importAci(session: Session, name: string, source: AsyncIterable<Uint8Array>): Promise<ImageRecord> {
  const store = await session.store();
  const { signal } = session.interrupts;
  await using ingest = await store.ingestAci();
  const aci = await receive(session, source, { name, path: ingest.path, signal });
  return await importNamed(session, store, () => ingest.commit({ ...aci, signal }));
}

async function receive(
  { libraries }: Session,
  source: AsyncIterable<Uint8Array>,
  options: ReceiveAciOptions,
): Promise<ReceivedAci> {
  try {
    return await libraries.receiveAci(source, options);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === COMPRESSION)) throw error;
    throw new CliError('ERR_RKT_CLI_UNSUPPORTED', error.message, {
      cause: error,
      hint: "decompress it first, for instance 'xz -dc FILE.aci | rkt --insecure-options=image fetch -'",
    });
  }
}

function requireInsecure(session: Session): void {
  if (session.globals.insecure.has('image')) return;
  throw new CliError(
    'ERR_RKT_CLI_SIGNATURE_REQUIRED',
    'signature verification for ACI files is not supported (try --insecure-options=image)',
  );
}
