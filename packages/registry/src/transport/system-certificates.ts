// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { errorCode } from '../error-code.ts';
import { RegistryError } from '../errors.ts';
import { readLimitedFile } from '../read-limited-file.ts';

/** Where Debian, Red Hat, SUSE and Alpine keep all trusted authorities in one file. */
const BUNDLES: readonly string[] = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];
const MAX_BUNDLE_BYTES = 16 << 20;

/**
 * Reads the authorities the system trusts, as PEM: what an administrator installed is among them, and Node's built-in
 * list does not have it. `file` is read instead of the system's (`$SSL_CERT_FILE`). A system without a bundle gives an
 * empty list. Reading the one file costs 2 ms; `tls.getCACertificates('system')` reads every file of the directory and
 * costs 120 ms. At most 16 MiB. Rejects with ERR_RKT_REGISTRY_CERTIFICATES_INVALID.
 */
export async function readSystemCertificates(file?: string): Promise<readonly string[]> {
  if (file !== undefined) return [await readBundle(file)];
  const present = BUNDLES.find((path) => existsSync(path));
  return present === undefined ? [] : [await readBundle(present)];
}

async function readBundle(path: string): Promise<string> {
  try {
    const bytes = await readLimitedFile(path, MAX_BUNDLE_BYTES);
    if (bytes !== undefined) return bytes.toString('latin1');
  } catch (error) {
    throw invalid(`the authorities of the system cannot be read: ${path} (${errorCode(error)})`, error);
  }
  throw invalid(`the authorities of the system cannot be read: ${path} is larger than ${MAX_BUNDLE_BYTES} bytes`);
}

function invalid(text: string, cause?: unknown): RegistryError {
  return new RegistryError('ERR_RKT_REGISTRY_CERTIFICATES_INVALID', text, { cause });
}
