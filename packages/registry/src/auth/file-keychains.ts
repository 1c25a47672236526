// SPDX-License-Identifier: Apache-2.0
import type { Repository } from '@rkt/refparse';
import type { AbortOptions } from '../image/image.ts';
import { type AuthDocument, holdsSecrets, normalizeKey } from './auth-document.ts';
import { type AuthFile, type AuthFilePlaces, authFiles, dockerConfigFiles, readAuthFile } from './auth-files.ts';
import type { Credential, Keychain } from './credential.ts';
import { askCredentialHelper } from './credential-helper.ts';
import { type FileExposure, fileExposure } from './exposed-files.ts';

/** `env` is the environment of credential helpers, too. */
export interface FileKeychainOptions extends AuthFilePlaces {
  /** Called, once per file, for a file of credentials that others than its owner may read: see `fileExposure`. */
  readonly onExposed?: (path: string, exposure: FileExposure) => void;
}

const HUB_SERVER = 'https://index.docker.io/v1/';

/**
 * Credentials of Docker's `config.json`: `credHelpers` for the host, then `credsStore`, then `auths`. Default path:
 * `$DOCKER_CONFIG/config.json` or `$HOME/.docker/config.json`. A file that does not exist has no credentials, but one
 * that `path` names must be there. Rejects with ERR_RKT_REGISTRY_CREDENTIALS_INVALID or ERR_RKT_REGISTRY_CREDENTIAL_HELPER.
 */
export function dockerConfigKeychain(options: FileKeychainOptions = {}): Keychain {
  return fileKeychain(dockerConfigFiles(options), options);
}

/**
 * Credentials of podman's and skopeo's `auth.json`, whose keys may name a repository or a namespace; the longest that
 * matches counts. Default path: `$REGISTRY_AUTH_FILE`, or, in this order, `$XDG_RUNTIME_DIR/containers/auth.json` (for
 * want of the variable `/run/containers/<uid>/auth.json`) and `$XDG_CONFIG_HOME/containers/auth.json` (for want of the
 * variable below `$HOME/.config`). A file that the variable or `path` names must be there. Rejects with
 * ERR_RKT_REGISTRY_CREDENTIALS_INVALID or ERR_RKT_REGISTRY_CREDENTIAL_HELPER.
 */
export function authFileKeychain(options: FileKeychainOptions = {}): Keychain {
  return fileKeychain(authFiles(options), options);
}

function fileKeychain(files: readonly AuthFile[], { env = {}, onExposed }: FileKeychainOptions): Keychain {
  const told = new Set<string>();
  const report = async (path: string): Promise<void> => {
    if (onExposed === undefined || told.has(path)) return;
    told.add(path);
    const exposure = await fileExposure(path);
    if (exposure !== undefined) onExposed(path, exposure);
  };
  return {
    resolve: async (target, options = {}) => {
      options.signal?.throwIfAborted();
      for (const file of files) {
        const document = await readAuthFile(file, options);
        if (document === undefined) continue;
        if (holdsSecrets(document)) await report(file.path);
        const found = await lookUp({ document, path: file.path }, target, { env, options });
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}

interface LookUp {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly options: AbortOptions;
}

interface Found {
  readonly document: AuthDocument;
  readonly path: string;
}

async function lookUp(
  { document, path }: Found,
  target: Repository,
  { env, options }: LookUp,
): Promise<Credential | undefined> {
  const domain = normalizeKey(target.domain);
  const serverUrl = domain === 'docker.io' ? HUB_SERVER : domain;
  const ask = (helper: string): Promise<Credential | undefined> =>
    askCredentialHelper({ helper, serverUrl, env, namedBy: path }, options);
  const own = document.credHelpers.get(domain);
  if (own !== undefined) return ask(own);
  if (document.credsStore !== undefined) {
    // Stores without an entry fall back to the file, where some tools keep writing.
    const stored = await ask(document.credsStore);
    if (stored !== undefined) return stored;
  }
  const kept = longestMatch(document.auths, `${domain}/${target.path}`);
  return kept === undefined ? undefined : { ...kept, source: path };
}

/** The entry of the repository, its namespaces, or its host: whole components, compared exactly. */
function longestMatch(auths: ReadonlyMap<string, Credential | undefined>, repository: string): Credential | undefined {
  for (let key = repository; ; key = key.slice(0, key.lastIndexOf('/'))) {
    const found = auths.get(key);
    if (found !== undefined) return found;
    if (!key.includes('/')) return undefined;
  }
}
