// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { errorCode } from '../error-code.ts';
import { RegistryError } from '../errors.ts';
import type { AbortOptions } from '../image/image.ts';
import { readLimitedFile } from '../read-limited-file.ts';
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

/** A file of credentials. Where somebody names it, it must be there: credentials are expected of it. */
export interface AuthFile {
  readonly path: string;
  readonly namedBy?: '$REGISTRY_AUTH_FILE' | 'the caller';
}

const MAX_FILE = 4 << 20;

/** Docker's: `$DOCKER_CONFIG/config.json` or `$HOME/.docker/config.json`. An empty variable is none. */
export function dockerConfigFiles({ path, env = {} }: AuthFilePlaces): readonly AuthFile[] {
  if (path !== undefined) return [{ path, namedBy: 'the caller' }];
  const home = env['HOME'] || undefined;
  const directory = env['DOCKER_CONFIG'] || (home && join(home, '.docker'));
  return directory === undefined ? [] : [{ path: join(directory, 'config.json') }];
}

/** Podman's and skopeo's, in the order in which they count. An empty variable is none. containers-auth.json(5). */
export function authFiles({ path, env = {}, uid }: AuthFilePlaces): readonly AuthFile[] {
  if (path !== undefined) return [{ path, namedBy: 'the caller' }];
  const named = env['REGISTRY_AUTH_FILE'];
  if (named) return [{ path: named, namedBy: '$REGISTRY_AUTH_FILE' }];
  const home = env['HOME'] || undefined;
  const runtime = env['XDG_RUNTIME_DIR'] || undefined;
  const ofUser = uid === undefined ? undefined : `/run/containers/${uid}/auth.json`;
  const configured = env['XDG_CONFIG_HOME'] || (home && join(home, '.config'));
  const paths = [
    runtime === undefined ? ofUser : join(runtime, 'containers/auth.json'),
    configured && join(configured, 'containers/auth.json'),
  ];
  return paths.flatMap((each) => (each === undefined ? [] : [{ path: each }]));
}

/**
 * Reads a file of credentials, of 4 MiB at most; undefined if there is none and nobody names it.
 * @throws {RegistryError} ERR_RKT_REGISTRY_CREDENTIALS_INVALID
 */
export async function readAuthFile(
  { path, namedBy }: AuthFile,
  options: AbortOptions,
): Promise<AuthDocument | undefined> {
  let bytes: Buffer | undefined;
  try {
    bytes = await readLimitedFile(path, MAX_FILE, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      if (namedBy === undefined) return undefined;
      throw invalid(`credentials file ${path}, which ${namedBy} names, does not exist`, error);
    }
    throw invalid(`credentials file ${path} cannot be read (${code})`, error);
  }
  if (bytes === undefined) throw invalid(`credentials file ${path} is larger than ${MAX_FILE} bytes`);
  return parseAuthDocument(bytes, path);
}

function invalid(text: string, cause?: unknown): RegistryError {
  return new RegistryError('ERR_RKT_REGISTRY_CREDENTIALS_INVALID', text, cause === undefined ? {} : { cause });
}
