// SPDX-License-Identifier: Apache-2.0
import type { Repository } from '@rkt/refparse';
import { RegistryError } from '../errors.ts';
import { parseNextLink } from '../protocol/link.ts';
import { readAll } from '../transport/body.ts';
import { header } from '../transport/transport.ts';
import { assertReference, type Candidate, type ClientContext, tryHosts } from './context.ts';
import { repositoryUrl } from './hosts.ts';
import { onlyOnce, withRetries } from './retry.ts';

/** Something a registry lists page by page. */
export interface Listing<T> {
  readonly repository: Repository;
  /** Below the repository's URL: `tags/list`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly accept?: string;
  /** For messages: `tags of docker.io/library/nginx`. */
  readonly what: string;
  /** The entries of one page. */
  readonly read: (bytes: Uint8Array) => readonly T[];
  readonly signal?: AbortSignal | undefined;
}

interface Page<T> {
  readonly candidate: Candidate;
  readonly entries: readonly T[];
  readonly next: URL | undefined;
}

const MAX_PAGES = 1000;
const MAX_PAGE_BYTES = 4 << 20;

/**
 * All entries, page by page, from the first host that answers. Pages are asked for as they are needed, 1000 at most, 4 MiB
 * each; a page on another origin is refused, since it would get this registry's authorisation.
 *
 * @throws {RegistryError} ERR_RKT_REGISTRY_LIMIT_EXCEEDED, ERR_RKT_REGISTRY_REDIRECT_REFUSED and those of any request
 */
export async function* listPages<T>(
  context: ClientContext,
  listing: Listing<T>,
): AsyncGenerator<readonly T[], void, undefined> {
  const { repository, signal } = listing;
  assertReference({ domain: repository.domain, path: repository.path, tag: undefined, digest: undefined });
  let page = await tryHosts(context, { repository, capability: 'resolve', signal }, (candidate) => {
    const url = repositoryUrl(candidate.host, repository, listing.path);
    for (const [name, value] of Object.entries(listing.query ?? {})) url.searchParams.set(name, value);
    return readPage(context, candidate, { listing, url });
  });
  for (let pages = 1; ; pages += 1) {
    yield page.entries;
    if (page.next === undefined) return;
    if (pages === MAX_PAGES) {
      const text = `the ${listing.what} have more than ${MAX_PAGES} pages`;
      throw new RegistryError('ERR_RKT_REGISTRY_LIMIT_EXCEEDED', text, { expected: MAX_PAGES });
    }
    page = await readPage(context, page.candidate, { listing, url: page.next });
  }
}

interface PageRequest<T> {
  readonly listing: Listing<T>;
  readonly url: URL;
}

function readPage<T>(context: ClientContext, candidate: Candidate, request: PageRequest<T>): Promise<Page<T>> {
  return withRetries(candidate.retrying, request.listing.signal, () => tryPage(context, candidate, request));
}

async function tryPage<T>(context: ClientContext, candidate: Candidate, request: PageRequest<T>): Promise<Page<T>> {
  const { listing, url } = request;
  const { repository, what, accept, signal } = listing;
  const { host, retrying } = candidate;
  const label = `${repository.domain}/${repository.path}`;
  const response = await context.session.send(
    { host, repository, label },
    { method: 'GET', url, signal, ...(accept === undefined ? {} : { headers: { accept } }) },
    onlyOnce(retrying),
  );
  const bytes = await readAll(response.body, MAX_PAGE_BYTES, `list of the ${what}`);
  const next = parseNextLink(header(response.headers, 'link'), url);
  if (next !== undefined && next.origin !== host.base.origin) {
    const text = `${host.base.origin} continues the ${what} on another host`;
    throw new RegistryError('ERR_RKT_REGISTRY_REDIRECT_REFUSED', text, { origin: host.base.origin, reference: label });
  }
  return { candidate, entries: listing.read(bytes), next };
}
