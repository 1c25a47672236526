// SPDX-License-Identifier: Apache-2.0
import { RegistryError } from '../errors.ts';
import { asObject, asString, FieldError, field, type JsonObject, optionalString, parseObject } from '../image/json.ts';
import type { Credential } from './credential.ts';

/** A Docker `config.json` or a containers `auth.json`, checked. Keys are normalised: see `normalizeKey`. */
export interface AuthDocument {
  readonly auths: ReadonlyMap<string, Credential | undefined>;
  readonly credHelpers: ReadonlyMap<string, string>;
  readonly credsStore: string | undefined;
}

const HUB_KEYS: ReadonlySet<string> = new Set([
  'docker.io',
  'index.docker.io',
  'registry-1.docker.io',
  'registry.hub.docker.com',
]);

/**
 * The form keys are compared in: without scheme and API path, host in lower case, Docker Hub's many names as
 * `docker.io`. `https://index.docker.io/v1/` -> `docker.io`; `Quay.io/Org/app` -> `quay.io/Org/app`.
 */
export function normalizeKey(key: string): string {
  const bare = key
    .trim()
    .replace(/^https?:\/\//i, '')
    .replace(/\/+$/, '');
  const slash = bare.indexOf('/');
  const host = (slash < 0 ? bare : bare.slice(0, slash)).toLowerCase();
  const path = slash < 0 ? '' : bare.slice(slash).replace(/^\/v[12](?=\/|$)/, '');
  return `${HUB_KEYS.has(host) ? 'docker.io' : host}${path}`;
}

/** A file that only names helpers keeps no secret. */
export function holdsSecrets({ auths }: AuthDocument): boolean {
  return [...auths.values()].some((credential) => credential !== undefined);
}

/** No registry is called so, and what stands before the `@` of a URL may be a password. */
export function withoutLogin(registry: string): string {
  return registry.slice(registry.lastIndexOf('@') + 1);
}

/**
 * Reads a document. Of an entry that is broken the fault is reported, never the content.
 * @throws {RegistryError} ERR_RKT_REGISTRY_CREDENTIALS_INVALID
 */
export function parseAuthDocument(bytes: Uint8Array, path: string): AuthDocument {
  try {
    const document = parseObject(bytes);
    return {
      auths: readMap(document, 'auths', (value, at) => readEntry(asObject(value, at), at)),
      credHelpers: readMap(document, 'credHelpers', asString),
      credsStore: optionalString(field(document, 'credsStore'), 'credsStore') || undefined,
    };
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    // The cause is left out, and all of its text but the name of the field: it may quote a secret.
    const fault = error.field === undefined ? 'is no JSON object' : `is invalid at ${error.field}`;
    throw new RegistryError('ERR_RKT_REGISTRY_CREDENTIALS_INVALID', `credentials file ${path} ${fault}`);
  }
}

function readMap<T>(
  document: JsonObject,
  name: string,
  read: (value: unknown, path: string) => T,
): ReadonlyMap<string, T> {
  const entries = field(document, name);
  const map = new Map<string, T>();
  if (entries === undefined) return map;
  for (const [key, entry] of Object.entries(asObject(entries, name))) {
    const normal = normalizeKey(key);
    const value = read(entry, `${name}[${JSON.stringify(withoutLogin(key))}]`);
    // Another spelling of a key, left behind empty by a logout, takes nothing away.
    if (value !== undefined || !map.has(normal)) map.set(normal, value);
  }
  return map;
}

/** Docker's order: a registry token, an identity token, `auth`, then user and password. Empty entries are none. */
function readEntry(entry: JsonObject, path: string): Credential | undefined {
  const read = (name: string): string | undefined => optionalString(field(entry, name), `${path}.${name}`) || undefined;
  const login = splitLogin(read('auth'), path) ?? { username: read('username'), password: read('password') };
  const registryToken = read('registrytoken');
  if (registryToken !== undefined) return { kind: 'bearer', token: registryToken };
  const identityToken = read('identitytoken');
  const { username, password } = login;
  if (identityToken !== undefined) {
    return { kind: 'identity-token', token: identityToken, ...(username === undefined ? {} : { username }) };
  }
  return username === undefined || password === undefined ? undefined : { kind: 'basic', username, password };
}

/** Base64 of `user:password`, split at the first colon. */
function splitLogin(
  auth: string | undefined,
  path: string,
): { readonly username: string; readonly password: string } | undefined {
  if (auth === undefined) return undefined;
  // Docker pads with NULs what it reads from some stores.
  const text = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '');
  const colon = text.indexOf(':');
  if (colon <= 0) {
    throw new FieldError(`${path}.auth: expected base64 of user:password`, `${path}.auth`);
  }
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
