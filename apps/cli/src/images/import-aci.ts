// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { ImageManifest } from '@rkt/appc';
import type { ReceiveAciOptions, ReceivedAci } from '@rkt/docker2aci';
import type { ImageRecord } from '@rkt/store';
import { CliError, hasCode, usageError } from '../errors.ts';
import { quote } from '../render/quote.ts';
import type { DetachedSignature } from '../trust/detached-signature.ts';
import type { Session } from '../wiring/session.ts';
import { type AciBytes, hashed, readSignatureFile, signatureNameOf, verifyAci } from './aci-signature.ts';
import { commitWithDependencies } from './commit-aci.ts';
import { readFile, terminalInput, upTo } from './file-input.ts';
import { importNamed } from './import-named.ts';
import type { ObtainOptions } from './obtain-options.ts';

const COMPRESSION = 'ERR_RKT_DOCKER2ACI_UNSUPPORTED_COMPRESSION';

/**
 * Takes an ACI from a file into the store, as it is: its ID is that of the original rkt. It is verified by the signature
 * beside it or in the file that is named, unless that is switched off.
 */
export async function importAciFile(session: Session, path: string, options: ObtainOptions): Promise<ImageRecord> {
  const { signatureFile = signatureNameOf(path) } = options;
  const signature = await signatureOf(session, signatureFile, path);
  session.note(`importing image from ${path}`);
  return importAci(session, { name: path, read: () => readFile(path) }, { ...options, signature });
}

/** The same from standard input, which is not looked at where a person would have to type it, and needs a named signature. */
export async function importAciFromInput(session: Session, options: ObtainOptions): Promise<ImageRecord> {
  if (session.io.stdinIsTTY) throw terminalInput('an ACI');
  const signature = await signatureOf(session, options.signatureFile);
  session.note('importing image from standard input');
  const name = 'standard input';
  if (signature === undefined) {
    return await importAci(session, { name, read: () => session.io.readBytes() }, { ...options, signature });
  }
  // What is verified is read twice: once for its name, which says whose keys count.
  await using file = await (await session.store()).temporaryFile();
  // Loaded here, and not with the command. No ACI may be larger when it is unpacked.
  const { defaultConversionLimits } = await import('@rkt/docker2aci');
  const bytes = upTo(defaultConversionLimits.maxLayerBytes, session.io.readBytes(), name);
  await writeFile(file.path, bytes, { signal: session.interrupts.signal });
  return await importAci(session, { name, read: () => readFile(file.path) }, { ...options, signature });
}

/** The path a `file:` URL names. @throws {CliError} ERR_RKT_CLI_USAGE for that of another host */
export function pathOfUrl(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (error) {
    throw new CliError('ERR_RKT_CLI_USAGE', `${quote(url)} names no file of this host`, { cause: error });
  }
}

export interface ImportAci extends ObtainOptions {
  /** Undefined: it is not verified. */
  readonly signature: DetachedSignature | undefined;
  /** Throws for the manifest of an image that was not meant. */
  readonly check?: (manifest: ImageManifest) => void;
}

/**
 * Takes an ACI into the store, verified, with the dependencies it has. Nothing of it is seen before.
 * @throws {CliError} ERR_RKT_CLI_SIGNATURE_INVALID, ERR_RKT_CLI_UNSUPPORTED; as the conversion, the store and discovery
 */
export async function importAci(session: Session, source: AciBytes, options: ImportAci): Promise<ImageRecord> {
  const store = await session.store();
  const { signal } = session.interrupts;
  const { name } = source;
  await using ingest = await store.ingestAci();
  const bytes = hashed(source.read(), signal);
  const aci = await receive(session, bytes, { name, path: ingest.path, signal });
  options.check?.(aci.manifest);
  const { signature } = options;
  if (signature !== undefined) {
    await verifyAci(session, source, { signature, imageName: aci.manifest.name, digest: bytes.digest() });
  }
  const commit = () => ingest.commit({ ...aci, signal });
  return await importNamed(session, () => commitWithDependencies(session, aci.manifest, options, commit));
}

async function receive(
  { libraries }: Session,
  source: AsyncIterable<Uint8Array>,
  options: ReceiveAciOptions,
): Promise<ReceivedAci> {
  try {
    return await libraries.receiveAci(source, options);
  } catch (error) {
    if (!hasCode(error, COMPRESSION)) throw error;
    throw new CliError('ERR_RKT_CLI_UNSUPPORTED', error.message, {
      cause: error,
      hint: "decompress it first, for instance 'xz -dc FILE.aci | rkt --insecure-options=image fetch -'",
    });
  }
}

/** Undefined where it is not asked for. @throws {CliError} ERR_RKT_CLI_SIGNATURE_REQUIRED where there is none */
async function signatureOf(
  session: Session,
  path: string | undefined,
  aci?: string,
): Promise<DetachedSignature | undefined> {
  if (session.globals.insecure.has('image')) return undefined;
  if (path === undefined) throw usageError('an ACI on standard input needs a --signature');
  try {
    return await readSignatureFile(path);
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== 'ERR_RKT_CLI_FILE') throw error;
    throw new CliError('ERR_RKT_CLI_SIGNATURE_REQUIRED', `no signature to verify the image by: ${error.message}`, {
      cause: error,
      hint:
        aci === undefined || existsSync(aci)
          ? 'name one with --signature=FILE or, if you trust the image, add --insecure-options=image'
          : `there is no file ${quote(aci)} either`,
    });
  }
}
