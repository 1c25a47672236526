// SPDX-License-Identifier: Apache-2.0
import type { Digest, Repository } from '@rkt/refparse';
import { RegistryError } from '../errors.ts';
import type { AbortOptions, Descriptor } from '../image/image.ts';
import { parseManifest } from '../image/manifest.ts';
import { OCI_INDEX } from '../image/media-types.ts';
import type { ClientContext } from './context.ts';
import { getManifest } from './manifests.ts';
import { listPages } from './pages.ts';

export interface ListReferrersOptions extends AbortOptions {
  /** Only referrers of this type, as `application/vnd.example.sbom.v1`. */
  readonly artifactType?: string;
}

/** What refers to something: the repository it is in, and its digest. */
export interface Subject extends Repository {
  readonly digest: Digest;
}

/**
 * The manifests that name another one as their subject: signatures, SBOMs, attestations. OCI distribution spec, "Listing
 * Referrers", with the fall-back for registries without that endpoint: the index tagged `sha256-<hex>`. Filtered here, too:
 * a registry may leave that out.
 */
export async function* listReferrers(
  context: ClientContext,
  subject: Subject,
  { artifactType, signal }: ListReferrersOptions,
): AsyncGenerator<Descriptor, void, undefined> {
  const label = `${subject.domain}/${subject.path}@${subject.digest}`;
  const read = (bytes: Uint8Array): readonly Descriptor[] => readIndex(bytes, label);
  const pages = listPages(context, {
    repository: { domain: subject.domain, path: subject.path },
    path: `referrers/${subject.digest}`,
    ...(artifactType === undefined ? {} : { query: { artifactType } }),
    accept: OCI_INDEX,
    what: `referrers of ${label}`,
    read,
    signal,
  });
  try {
    for await (const entries of pages) yield* ofType(entries, artifactType);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    yield* ofType(await taggedReferrers(context, subject, { read, signal }), artifactType);
  }
}

interface TaggedOptions {
  readonly read: (bytes: Uint8Array) => readonly Descriptor[];
  readonly signal: AbortSignal | undefined;
}

async function taggedReferrers(
  context: ClientContext,
  { domain, path, digest }: Subject,
  { read, signal }: TaggedOptions,
): Promise<readonly Descriptor[]> {
  const reference = { domain, path, tag: digest.replace(':', '-').slice(0, 128), digest: undefined };
  try {
    const { bytes } = await getManifest(context, reference, signal === undefined ? {} : { signal });
    return read(bytes);
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}

function readIndex(bytes: Uint8Array, reference: string): readonly Descriptor[] {
  const index = parseManifest(bytes, { reference: `the referrers of ${reference}`, mediaType: OCI_INDEX });
  return index.kind === 'index' ? index.manifests : [];
}

function ofType(entries: readonly Descriptor[], artifactType: string | undefined): readonly Descriptor[] {
  return artifactType === undefined ? entries : entries.filter((entry) => entry.artifactType === artifactType);
}

function isNotFound(error: unknown): boolean {
  return error instanceof RegistryError && error.code === 'ERR_RKT_REGISTRY_NOT_FOUND';
}
