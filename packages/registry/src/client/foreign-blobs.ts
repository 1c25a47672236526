// SPDX-License-Identifier: Apache-2.0
import { RegistryError } from '../errors.ts';
import { redirectFault } from '../protocol/redirect.ts';
import { redactUrl, sanitize } from '../protocol/sanitize.ts';
import type { BlobTransfer } from './blob-reader.ts';
import { acceptBlob, labelOf, rangeFrom, type WantedBlob } from './blob-response.ts';
import { type ClientContext, corruptKey, hostsFor, tryEach } from './context.ts';
import { type CheckedHost, checkHost } from './hosts.ts';

/** Addresses that are asked of those a descriptor has: each may take as long as a time-out. */
const MAX_ADDRESSES = 8;

/**
 * Opens a blob at one of the `urls` of its descriptor, the first that has it. They are the manifest's word, so they get
 * what the target of a redirect gets, and less: neither credentials nor a certificate, no plain HTTP and no local address
 * where the registry itself is not spoken to so. OCI image spec, "Content Descriptors".
 * @throws {RegistryError} ERR_RKT_REGISTRY_REDIRECT_REFUSED for an address that must not be asked, and as getBlob
 */
export async function openForeign(context: ClientContext, wanted: WantedBlob, offset: number): Promise<BlobTransfer> {
  const { repository, target, options } = wanted;
  const registry = await registryItself(context, wanted);
  const { signal } = options;
  return tryEach(context, suspectsLast(context, wanted), { repository, signal }, async (text, retrying) => {
    const url = foreignUrl(text, registry, target.digest);
    const host = checkHost({ origin: url.origin, ...(registry.allowHttp ? { insecure: 'http' } : {}) });
    const response = await context.session.sendAnonymously(
      { host, repository, label: labelOf(wanted) },
      { method: 'GET', url, ...rangeFrom(offset), signal },
      retrying,
    );
    return acceptBlob(response, wanted, { origin: url.origin, offset });
  });
}

/** What must be asked of somebody else, and may not be. */
export function foreignNotAllowed(wanted: WantedBlob, notFound: RegistryError): RegistryError {
  const [url = ''] = wanted.target.urls ?? [];
  const place = URL.canParse(url) ? new URL(url).host : sanitize(url);
  const text = `${notFound.message}; it is a foreign layer that is kept at ${place}, and asking there was not allowed`;
  return new RegistryError('ERR_RKT_REGISTRY_FOREIGN_LAYER', text, {
    ...(notFound.origin === undefined ? {} : { origin: notFound.origin }),
    reference: labelOf(wanted),
    cause: notFound,
  });
}

/** The host that mirrors are put before. */
async function registryItself(context: ClientContext, { repository }: WantedBlob): Promise<CheckedHost> {
  const [first, ...others] = await hostsFor(context, repository);
  return checkHost(others.at(-1) ?? first);
}

function suspectsLast(context: ClientContext, { target }: WantedBlob): readonly string[] {
  const isSuspect = (url: string): boolean =>
    URL.canParse(url) && context.corrupt.has(corruptKey(new URL(url).origin, target.digest));
  const { urls = [] } = target;
  return [...urls.filter((url) => !isSuspect(url)), ...urls.filter(isSuspect)].slice(0, MAX_ADDRESSES);
}

function foreignUrl(text: string, registry: CheckedHost, digest: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const fault = url === undefined ? 'it is no URL' : redirectFault(registry.base, url, registry);
  if (url !== undefined && fault === undefined) return withoutFragment(url);
  const shown = url === undefined ? text : redactUrl(url);
  const message = `address ${shown} of the foreign layer ${digest} refused: ${fault}`;
  throw new RegistryError('ERR_RKT_REGISTRY_REDIRECT_REFUSED', message, { reference: digest });
}

function withoutFragment(url: URL): URL {
  const bare = new URL(url);
  bare.hash = '';
  return bare;
}
