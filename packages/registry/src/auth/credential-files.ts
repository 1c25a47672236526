// SPDX-License-Identifier: Apache-2.0
import type { AbortOptions } from '../image/image.ts';
import { type AuthDocument, holdsSecrets, withoutLogin } from './auth-document.ts';
import { type AuthFile, type AuthFilePlaces, authFiles, dockerConfigFiles, readAuthFile } from './auth-files.ts';
import type { Credential } from './credential.ts';
import { type FileExposure, fileExposure } from './exposed-files.ts';

/** What a file of credentials says, without the secrets. */
export interface CredentialFile {
  readonly path: string;
  readonly auths: readonly StoredCredential[];
  /** Names of credential helpers by registry. */
  readonly credHelpers: Readonly<Record<string, string>>;
  /** The credential helper of all other registries. */
  readonly credsStore?: string;
  /** There are secrets in it, and others than its owner may read them. */
  readonly exposed?: FileExposure;
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
 * Those that do not exist are left out, unless `$REGISTRY_AUTH_FILE` names them, and helpers are not asked. For people: no secret is in it.
 * @throws {RegistryError} ERR_RKT_REGISTRY_CREDENTIALS_INVALID
 */
export async function listCredentialFiles(
  options: Omit<AuthFilePlaces, 'path'> & AbortOptions,
): Promise<readonly CredentialFile[]> {
  options.signal?.throwIfAborted();
  const files: CredentialFile[] = [];
  for (const file of distinct([...authFiles(options), ...dockerConfigFiles(options)])) {
    const document = await readAuthFile(file, options);
    if (document === undefined) continue;
    const exposed = holdsSecrets(document) ? await fileExposure(file.path) : undefined;
    files.push({ ...withoutSecrets(file.path, document), ...(exposed === undefined ? {} : { exposed }) });
  }
  return files;
}

function distinct(files: readonly AuthFile[]): readonly AuthFile[] {
  return files.filter(({ path }, index) => files.findIndex((each) => each.path === path) === index);
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
