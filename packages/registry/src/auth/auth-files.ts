// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../error-code.ts';
import { RegistryError } from '../errors.ts';
import type { AbortOptions } from '../image/image.ts';
import { type AuthDocument, parseAuthDocument } from './auth-document.ts';

/** Where files of credentials are. */
export interface AuthFilePlaces {
  /** @default found through `env`; without either there are no credentials */
  readonly path?: string;
  /** Where the default path comes from. Never `process.env` by itself. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Whose `/run/containers/<uid>/auth.json` is read where `env` has no `XDG_RUNTIME_DIR`. Default: nobody's. */
  readonly uid?: number;
}

const MAX_FILE = 4 << 20;

/** Docker's: `$DOCKER_CONFIG/config.json` or `$HOME/.docker/config.json`. An empty variable is none. */
export function dockerConfigPaths({ path, env = {} }: AuthFilePlaces): readonly string[] {
  if (path !== undefined) return [path];
  const home = env['HOME'] || undefined;
  const directory = env['DOCKER_CONFIG'] || (home && join(home, '.docker'));
  return directory === undefined ? [] : [join(directory, 'config.json')];
}

/** Podman's and skopeo's, in the order in which they count. An empty variable is none. containers-auth.json(5). */
export function authFilePaths({ path, env = {}, uid }: AuthFilePlaces): readonly string[] {
  const named = path ?? (env['REGISTRY_AUTH_FILE'] || undefined);
  if (named !== undefined) return [named];
  const home = env['HOME'] || undefined;
  const runtime = env['XDG_RUNTIME_DIR'] || undefined;
  const ofUser = uid === undefined ? undefined : `/run/containers/${uid}/auth.json`;
  const configured = env['XDG_CONFIG_HOME'] || (home && join(home, '.config'));
  const paths = [
    runtime === undefined ? ofUser : join(runtime, 'containers/auth.json'),
    configured && join(configured, 'containers/auth.json'),
  ];
  return paths.filter((each) => each !== undefined);
}

/**
 * Reads a file of credentials, of 4 MiB at most; undefined if there is none.
 * @throws {RegistryError} ERR_RKT_REGISTRY_CREDENTIALS_INVALID
 */
export async function readAuthFile(path: string, options: AbortOptions): Promise<AuthDocument | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path, options.signal === undefined ? {} : { signal: options.signal });
  } catch (error) {
    options.signal?.throwIfAborted();
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw invalid(`credentials file ${path} cannot be read (${code})`, error);
  }
  if (bytes.length > MAX_FILE) throw invalid(`credentials file ${path} is larger than ${MAX_FILE} bytes`);
  return parseAuthDocument(bytes, path);
}

function invalid(text: string, cause?: unknown): RegistryError {
  return new RegistryError('ERR_RKT_REGISTRY_CREDENTIALS_INVALID', text, cause === undefined ? {} : { cause });
}
