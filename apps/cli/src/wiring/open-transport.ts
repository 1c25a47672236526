// SPDX-License-Identifier: Apache-2.0
import {
  type ClosableTransport,
  proxyFromEnvironment,
  readCertsDirectories,
  readSystemCertificates,
  type TlsLookup,
  undiciTransport,
} from '@rkt/registry';
import { certsDirectories } from './config/places.ts';
import type { Io } from './io.ts';

/** A transport with the proxies and certificates of this machine, and what it knows of the certificates. */
export function openTransport(env: Io['env']): { readonly transport: ClosableTransport; readonly tls: TlsLookup } {
  const proxy = proxyFromEnvironment(env);
  const tls = readCertsDirectories(certsDirectories(env));
  const transport = undiciTransport({
    ca: () => readSystemCertificates(env['SSL_CERT_FILE'] || undefined),
    tls,
    ...(proxy === undefined ? {} : { proxy }),
  });
  return { transport, tls };
}
