// SPDX-License-Identifier: Apache-2.0
import type { Repository } from '@rkt/refparse';
import { RegistryError } from '../errors.ts';
import type { AbortOptions } from '../image/image.ts';
import { asStrings, field, readDocument } from '../image/json.ts';
import { parseNextLink } from '../protocol/link.ts';
import { readAll } from '../transport/body.ts';
import { header } from '../transport/transport.ts';
import { assertReference, type Candidate, type ClientContext, tryHosts } from './context.ts';
import { repositoryUrl } from './hosts.ts';
import { onlyOnce, withRetries } from './retry.ts';

export interface ListTagsOptions extends AbortOptions {
  /** Only tags after this one, in the registry's order. */
  readonly after?: string;
}

interface Page {
  readonly candidate: Candidate;
  readonly tags: readonly string[];
  readonly next: URL | undefined;
}

const MAX_PAGES = 1000;
const MAX_PAGE_BYTES = 4 << 20;
const MAX_PAGE_TAGS = 100_000;

/** The tags of a repository, page by page, from the first host that answers. OCI distribution spec, "Listing Tags". */
export async function* listTags(
  context: ClientContext,
  repository: Repository,
  options: ListTagsOptions,
): AsyncGenerator<string, void, undefined> {
  assertReference({ domain: repository.domain, path: repository.path, tag: undefined, digest: undefined });
  let page = await tryHosts(context, { repository, capability: 'resolve', signal: options.signal }, (candidate) => {
    const url = repositoryUrl(candidate.host, repository, 'tags/list');
    if (options.after !== undefined) url.searchParams.set('last', options.after);
    return readPage(context, candidate, { repository, url, options });
  });
  for (let pages = 1; ; pages += 1) {
    yield* page.tags;
    if (page.next === undefined) return;
    if (pages === MAX_PAGES) {
      const text = `${labelOf(repository)} has more than ${MAX_PAGES} pages of tags`;
      throw new RegistryError('ERR_RKT_REGISTRY_LIMIT_EXCEEDED', text, { expected: MAX_PAGES });
    }
    page = await readPage(context, page.candidate, { repository, url: page.next, options });
  }
}

interface PageRequest {
  readonly repository: Repository;
  readonly url: URL;
  readonly options: ListTagsOptions;
}

function readPage(context: ClientContext, candidate: Candidate, request: PageRequest): Promise<Page> {
  return withRetries(candidate.retrying, request.options.signal, () => tryPage(context, candidate, request));
}

async function tryPage(context: ClientContext, candidate: Candidate, request: PageRequest): Promise<Page> {
  const { repository, url, options } = request;
  const { host, retrying } = candidate;
  const label = labelOf(repository);
  const response = await context.session.send(
    { host, repository, label },
    { method: 'GET', url, signal: options.signal },
    onlyOnce(retrying),
  );
  const bytes = await readAll(response.body, MAX_PAGE_BYTES, `tag list of ${label}`);
  const next = parseNextLink(header(response.headers, 'link'), url);
  // A page elsewhere would be asked for with this registry's authorisation.
  if (next !== undefined && next.origin !== host.base.origin) {
    const text = `${host.base.origin} continues the tags of ${label} on another host`;
    throw new RegistryError('ERR_RKT_REGISTRY_REDIRECT_REFUSED', text, { origin: host.base.origin, reference: label });
  }
  return { candidate, tags: readTags(bytes, label), next };
}

function readTags(bytes: Uint8Array, label: string): readonly string[] {
  const context = { code: 'ERR_RKT_REGISTRY_PROTOCOL', fault: `tag list of ${label}`, reference: label } as const;
  return readDocument(bytes, context, (document) => {
    const tags = field(document, 'tags');
    return tags === undefined ? [] : asStrings(tags, 'tags', MAX_PAGE_TAGS);
  });
}

function labelOf(repository: Repository): string {
  return `${repository.domain}/${repository.path}`;
}
