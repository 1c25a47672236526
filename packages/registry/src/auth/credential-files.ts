// SPDX-License-Identifier: Apache-2.0
import type { AbortOptions } from '../image/image.ts';
import { type AuthDocument, withoutLogin } from './auth-document.ts';
import { type AuthFilePlaces, authFilePaths, dockerConfigPaths, readAuthFile } from './auth-files.ts';
import type { Credential } from './credential.ts';

/** What a file of credentials says, without the secrets. */
export interface CredentialFile {
  readonly path: string;
  readonly auths: readonly StoredCredential[];
  /** Names of credential helpers by registry. */
  readonly credHelpers: Readonly<Record<string, string>>;
  /** The credential helper of all other registries. */
  readonly credsStore?: string;
}

/** That there is a credential, and whose. */
export interface StoredCredential {
  /** The registry, `docker.io` for Docker Hub; a path after it for a credential of a repository or namespace. */
  readonly registry: string;
  readonly kind: Credential['kind'];
  readonly username?: string;
}

/**
 * The files that `authFileKeychain` and `dockerConfigKeychain` read with these options, in the order in which they count.
 * Those that do not exist are left out, and helpers are not asked. For people: no secret is in it.
 * @throws {RegistryError} ERR_RKT_REGISTRY_CREDENTIALS_INVALID
 */
export async function listCredentialFiles(
  options: Omit<AuthFilePlaces, 'path'> & AbortOptions,
): Promise<readonly CredentialFile[]> {
  options.signal?.throwIfAborted();
  const files: CredentialFile[] = [];
  for (const path of new Set([...authFilePaths(options), ...dockerConfigPaths(options)])) {
    const document = await readAuthFile(path, options);
    if (document !== undefined) files.push(withoutSecrets(path, document));
  }
  return files;
}

function withoutSecrets(path: string, { auths, credHelpers, credsStore }: AuthDocument): CredentialFile {
  return {
    path,
    auths: [...auths].flatMap(([registry, credential]) =>
      credential === undefined ? [] : [{ registry: withoutLogin(registry), ...ownerOf(credential) }],
    ),
    credHelpers: Object.fromEntries(Array.from(credHelpers, ([registry, helper]) => [withoutLogin(registry), helper])),
    ...(credsStore === undefined ? {} : { credsStore }),
  };
}

function ownerOf(credential: Credential): Omit<StoredCredential, 'registry'> {
  const { kind } = credential;
  if (kind === 'bearer' || credential.username === undefined) return { kind };
  return { kind, username: credential.username };
}
