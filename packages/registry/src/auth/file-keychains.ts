// SPDX-License-Identifier: Apache-2.0
import { stat } from 'node:fs/promises';
import type { Repository } from '@rkt/refparse';
import type { AbortOptions } from '../image/image.ts';
import { type AuthDocument, normalizeKey } from './auth-document.ts';
import { type AuthFilePlaces, authFilePaths, dockerConfigPaths, readAuthFile } from './auth-files.ts';
import type { Credential, Keychain } from './credential.ts';
import { askCredentialHelper } from './credential-helper.ts';

/** `env` is the environment of credential helpers, too. */
export interface FileKeychainOptions extends AuthFilePlaces {
  /** Called, once per file, for a file of credentials that every user of the machine may read. */
  readonly onExposed?: (path: string) => void;
}

const READABLE_BY_ALL = 0o004;
const HUB_SERVER = 'https://index.docker.io/v1/';

/**
 * Credentials of Docker's `config.json`: `credHelpers` for the host, then `credsStore`, then `auths`. Default path:
 * `$DOCKER_CONFIG/config.json` or `$HOME/.docker/config.json`. A file that does not exist has no credentials.
 * Rejects with ERR_RKT_REGISTRY_CREDENTIALS_INVALID or ERR_RKT_REGISTRY_CREDENTIAL_HELPER.
 */
export function dockerConfigKeychain(options: FileKeychainOptions = {}): Keychain {
  return fileKeychain(dockerConfigPaths(options), options);
}

/**
 * Credentials of podman's and skopeo's `auth.json`, whose keys may name a repository or a namespace; the longest that
 * matches counts. Default path: `$REGISTRY_AUTH_FILE`, or, in this order, `$XDG_RUNTIME_DIR/containers/auth.json` (for
 * want of the variable `/run/containers/<uid>/auth.json`) and `$XDG_CONFIG_HOME/containers/auth.json` (for want of the
 * variable below `$HOME/.config`). Rejects with ERR_RKT_REGISTRY_CREDENTIALS_INVALID or
 * ERR_RKT_REGISTRY_CREDENTIAL_HELPER.
 */
export function authFileKeychain(options: FileKeychainOptions = {}): Keychain {
  return fileKeychain(authFilePaths(options), options);
}

function fileKeychain(paths: readonly string[], { env = {}, onExposed }: FileKeychainOptions): Keychain {
  const told = new Set<string>();
  const report = async (path: string): Promise<void> => {
    if (onExposed === undefined || told.has(path)) return;
    told.add(path);
    const { mode } = await stat(path);
    if ((mode & READABLE_BY_ALL) !== 0) onExposed(path);
  };
  return {
    resolve: async (target, options = {}) => {
      options.signal?.throwIfAborted();
      for (const path of paths) {
        const document = await readAuthFile(path, options);
        if (document === undefined) continue;
        if (holdsSecrets(document)) await report(path);
        const found = await lookUp(document, target, { env, options });
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}

/** A file that only names helpers keeps no secret. */
function holdsSecrets({ auths }: AuthDocument): boolean {
  return [...auths.values()].some((credential) => credential !== undefined);
}

interface LookUp {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly options: AbortOptions;
}

async function lookUp(
  document: AuthDocument,
  target: Repository,
  { env, options }: LookUp,
): Promise<Credential | undefined> {
  const domain = normalizeKey(target.domain);
  const serverUrl = domain === 'docker.io' ? HUB_SERVER : domain;
  const own = document.credHelpers.get(domain);
  if (own !== undefined) return askCredentialHelper({ helper: own, serverUrl, env }, options);
  if (document.credsStore !== undefined) {
    // Stores without an entry fall back to the file, where some tools keep writing.
    const stored = await askCredentialHelper({ helper: document.credsStore, serverUrl, env }, options);
    if (stored !== undefined) return stored;
  }
  return longestMatch(document.auths, `${domain}/${target.path}`);
}

/** The entry of the repository, its namespaces, or its host: whole components, compared exactly. */
function longestMatch(auths: ReadonlyMap<string, Credential | undefined>, repository: string): Credential | undefined {
  for (let key = repository; ; key = key.slice(0, key.lastIndexOf('/'))) {
    const found = auths.get(key);
    if (found !== undefined) return found;
    if (!key.includes('/')) return undefined;
  }
}
