// SPDX-License-Identifier: Apache-2.0
import type { Repository } from '@rkt/refparse';
import type { AbortOptions } from '../image/image.ts';
import { asStrings, field, readDocument } from '../image/json.ts';
import type { ClientContext } from './context.ts';
import { listPages } from './pages.ts';

export interface ListTagsOptions extends AbortOptions {
  /** Only tags after this one, in the registry's order. */
  readonly after?: string;
}

const MAX_PAGE_TAGS = 100_000;

/** The tags of a repository. OCI distribution spec, "Listing Tags". */
export async function* listTags(
  context: ClientContext,
  repository: Repository,
  { after, signal }: ListTagsOptions,
): AsyncGenerator<string, void, undefined> {
  const label = `${repository.domain}/${repository.path}`;
  const pages = listPages(context, {
    repository,
    path: 'tags/list',
    ...(after === undefined ? {} : { query: { last: after } }),
    what: `tags of ${label}`,
    read: (bytes) => readTags(bytes, label),
    signal,
  });
  for await (const tags of pages) yield* tags;
}

function readTags(bytes: Uint8Array, label: string): readonly string[] {
  const context = { code: 'ERR_RKT_REGISTRY_PROTOCOL', fault: `tag list of ${label}`, reference: label } as const;
  return readDocument(bytes, context, (document) => {
    const tags = field(document, 'tags');
    return tags === undefined ? [] : asStrings(tags, 'tags', MAX_PAGE_TAGS);
  });
}
