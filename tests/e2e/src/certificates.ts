// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Files of a private authority and of what it has signed. */
export interface Certificates {
  readonly ca: string;
  readonly server: { readonly cert: string; readonly key: string };
  readonly client: { readonly cert: string; readonly key: string };
}

/** Makes an authority, a server's certificate for `name` and 127.0.0.1, and a client's below `dir`. */
export function makeCertificates(dir: string, name: string): Certificates {
  const path = (file: string): string => join(dir, file);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  openssl(['req', '-x509', ...key, '-subj', '/CN=Test CA', '-keyout', path('ca.key'), '-out', path('ca.pem')]);
  const issue = (who: string, extensions: string): { readonly cert: string; readonly key: string } => {
    writeFileSync(path(`${who}.ext`), extensions);
    openssl(['req', ...key, '-subj', `/CN=${who}`, '-keyout', path(`${who}.key`), '-out', path(`${who}.csr`)]);
    const signer = ['-CA', path('ca.pem'), '-CAkey', path('ca.key'), '-CAcreateserial'];
    const request = ['-req', '-in', path(`${who}.csr`), '-extfile', path(`${who}.ext`), '-days', '2'];
    openssl(['x509', ...request, ...signer, '-out', path(`${who}.pem`)]);
    return { cert: path(`${who}.pem`), key: path(`${who}.key`) };
  };
  return {
    ca: path('ca.pem'),
    server: issue('server', `subjectAltName=DNS:${name},IP:127.0.0.1\nextendedKeyUsage=serverAuth\n`),
    client: issue('client', 'extendedKeyUsage=clientAuth\n'),
  };
}

function openssl(args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
