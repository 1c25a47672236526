// SPDX-License-Identifier: Apache-2.0
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../error-code.ts';
import { RegistryError } from '../errors.ts';
import { readLimitedFile } from '../read-limited-file.ts';
import type { TlsSettings } from './tls-settings.ts';

const MAX_FILE_BYTES = 1 << 20;
const MAX_FILES = 256;
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
const MISSING: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR']);

/**
 * Reads Docker's and podman's directories of certificates, the first time an origin is asked for. Each of `directories`
 * (`/etc/docker/certs.d`) has one directory per registry, named `host` or `host:port` as in references; in it `*.crt` are
 * certificate authorities, and `*.cert` with the `*.key` of the same name what this client shows. Authorities of all
 * directories count; of several client certificates the first one does, directories in the order given, files by name.
 * Port 443 may be left out, and `docker.io` stands for `registry-1.docker.io`. Directories that do not exist, or that
 * the caller may not list, say nothing; one that is empty says that there is one, as an object without settings. At most
 * 256 files of 1 MiB each.
 *
 * The function rejects with ERR_RKT_REGISTRY_CERTIFICATES_INVALID for a certificate without its key, a key without its
 * certificate, and files that are not what their name says.
 */
export function readCertsDirectories(
  directories: readonly string[],
): (origin: string) => Promise<TlsSettings | undefined> {
  return async (origin) => {
    const names = namesOf(new URL(origin));
    const found = directories.flatMap((directory) => names.map((name) => join(directory, name)));
    const settings: TlsSettings[] = [];
    for (const directory of found) settings.push(...(await readDirectory(directory)));
    if (settings.length === 0) return undefined;
    const ca = settings.flatMap((each) => each.ca ?? []);
    const { cert, key } = settings.find((each) => each.cert !== undefined) ?? {};
    const authorities = ca.length === 0 ? {} : { ca };
    return cert === undefined || key === undefined ? authorities : { ...authorities, cert, key };
  };
}

/** What a directory of certificates holds for one registry. */
export interface CertsDirectory {
  readonly path: string;
  /** The name of the directory: `host` or `host:port`. */
  readonly registry: string;
  /** File names of authorities. */
  readonly authorities: readonly string[];
  /** File names of what this client shows. */
  readonly client?: { readonly cert: string; readonly key: string };
}

/**
 * The directories of registries that `readCertsDirectories` would find, in the order in which they count, their files read
 * and checked; for people.
 * @throws {RegistryError} ERR_RKT_REGISTRY_CERTIFICATES_INVALID
 */
export async function listCertsDirectories(directories: readonly string[]): Promise<readonly CertsDirectory[]> {
  const found: CertsDirectory[] = [];
  for (const parent of directories) {
    for (const registry of (await list(parent)) ?? []) {
      const path = join(parent, registry);
      const files = await list(path);
      if (files === undefined) continue;
      await readDirectory(path);
      const authorities = files.filter((name) => name.endsWith('.crt'));
      const cert = files.find((name) => name.endsWith('.cert'));
      const client = cert === undefined ? {} : { client: { cert, key: cert.replace(/\.cert$/, '.key') } };
      found.push({ path, registry, authorities, ...client });
    }
  }
  return found;
}

function namesOf({ protocol, hostname, host }: URL): readonly string[] {
  // A redirect may name any host, and one of dots would leave the directory.
  if (protocol !== 'https:' || /^\.*$/.test(hostname)) return [];
  const names = host === hostname ? [hostname, `${hostname}:443`] : [host];
  return host === 'registry-1.docker.io' ? [...names, 'docker.io'] : names;
}

/** What one directory says; nothing if it is not there. */
async function readDirectory(directory: string): Promise<readonly TlsSettings[]> {
  const names = await list(directory);
  if (names === undefined) return [];
  const ending = (suffix: string): readonly string[] => names.filter((name) => name.endsWith(suffix));
  for (const name of ending('.key')) requirePartner(names, { directory, name, suffix: '.key', partner: '.cert' });
  for (const name of ending('.cert')) requirePartner(names, { directory, name, suffix: '.cert', partner: '.key' });
  const ca: string[] = [];
  for (const name of ending('.crt')) ca.push(...(await readCertificates(join(directory, name), 'an authority')));
  const [first] = ending('.cert');
  if (first === undefined) return [{ ca }];
  const path = join(directory, first);
  return [{ ca, ...(await readPair(path, `${path.slice(0, -'.cert'.length)}.key`)) }];
}

async function list(directory: string): Promise<readonly string[] | undefined> {
  let names: readonly string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    const code = errorCode(error);
    if (MISSING.has(code) || code === 'EACCES') return undefined;
    throw invalid(`directory ${directory} cannot be read (${code})`, error);
  }
  if (names.length > MAX_FILES) throw invalid(`directory ${directory} has more than ${MAX_FILES} entries`);
  return names.toSorted();
}

interface Partner {
  readonly directory: string;
  readonly name: string;
  readonly suffix: string;
  readonly partner: string;
}

/** Mixing up `.crt` and `.cert` is what goes wrong most often with these directories. */
function requirePartner(names: readonly string[], { directory, name, suffix, partner }: Partner): void {
  const wanted = `${name.slice(0, -suffix.length)}${partner}`;
  if (names.includes(wanted)) return;
  const text =
    suffix === '.cert'
      ? `client certificate ${join(directory, name)} has no key: expected ${wanted} beside it, or the ending .crt if it is the certificate of an authority`
      : `key ${join(directory, name)} has no client certificate: expected ${wanted} beside it (.cert, not .crt)`;
  throw invalid(text);
}

async function readPair(certPath: string, keyPath: string): Promise<{ readonly cert: string; readonly key: string }> {
  const { X509Certificate, createPrivateKey } = await import('node:crypto');
  const chain = await readCertificates(certPath, 'a client');
  const key = await readLimited(keyPath);
  let fits: boolean;
  try {
    fits = new X509Certificate(chain[0] ?? '').checkPrivateKey(createPrivateKey(key));
  } catch {
    // The cause is left out: what is quoted of a key is too much.
    throw invalid(`${keyPath} is no private key that can be used: expected PEM without a passphrase`);
  }
  if (!fits) throw invalid(`key ${keyPath} does not belong to client certificate ${certPath}`);
  return { cert: chain.join('\n'), key };
}

async function readCertificates(path: string, whose: string): Promise<readonly string[]> {
  const { X509Certificate } = await import('node:crypto');
  const found = (await readLimited(path)).match(PEM_CERTIFICATE) ?? [];
  const expected = `${path} is not the certificate of ${whose}: expected PEM with -----BEGIN CERTIFICATE-----`;
  if (found.length === 0) throw invalid(expected);
  try {
    for (const pem of found) new X509Certificate(pem);
  } catch (error) {
    throw invalid(expected, error);
  }
  return found;
}

async function readLimited(path: string): Promise<string> {
  try {
    const bytes = await readLimitedFile(path, MAX_FILE_BYTES);
    if (bytes !== undefined) return bytes.toString('latin1');
  } catch (error) {
    throw invalid(`${path} cannot be read (${errorCode(error)})`, error);
  }
  throw invalid(`${path} is larger than ${MAX_FILE_BYTES} bytes`);
}

function invalid(text: string, cause?: unknown): RegistryError {
  return new RegistryError('ERR_RKT_REGISTRY_CERTIFICATES_INVALID', text, cause === undefined ? {} : { cause });
}
