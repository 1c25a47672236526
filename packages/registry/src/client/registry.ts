// SPDX-License-Identifier: Apache-2.0
import type { Digest, Reference, Repository } from '@rkt/refparse';
import { createAuthenticator } from '../auth/authenticator.ts';
import { anonymous, type Keychain } from '../auth/credential.ts';
import { createTokenClient } from '../auth/token-client.ts';
import type { FetchedManifest } from '../image/content-provider.ts';
import type { AbortOptions, BlobReader, Descriptor, OpenBlobOptions } from '../image/image.ts';
import { noticingTls } from '../transport/tls-mismatch.ts';
import type { Transport } from '../transport/transport.ts';
import { undiciTransport } from '../transport/undici.ts';
import { getBlobSize } from './blob-size.ts';
import { getBlob } from './blobs.ts';
import type { ClientContext } from './context.ts';
import type { RegistryHost } from './hosts.ts';
import { getManifest, resolve } from './manifests.ts';
import { type PutBlobOptions, type PutManifestOptions, putBlob, putManifest } from './push.ts';
import { type ListReferrersOptions, listReferrers, type Subject } from './referrers.ts';
import { DEFAULT_RETRY, type RetryEvent, type Retrying, type RetryPolicy } from './retry.ts';
import { createSession } from './session.ts';
import { type ListTagsOptions, listTags } from './tags.ts';

/** A client for all registries. Holds tokens and connections; dispose it to close the connections. */
export interface Registry extends AsyncDisposable {
  /**
   * What a reference points at now: one HEAD request where the registry answers it completely.
   * @throws {RegistryError} ERR_RKT_REGISTRY_NOT_FOUND, _UNREACHABLE, _UNAUTHORIZED, _DENIED, _RATE_LIMITED, _TLS, ...
   */
  resolve(reference: Reference, options?: AbortOptions): Promise<Descriptor>;
  /**
   * A manifest or index as bytes, its digest computed from them and checked when the reference has one.
   * @throws {RegistryError} as resolve, and ERR_RKT_REGISTRY_DIGEST_MISMATCH, _SIZE_MISMATCH, _LIMIT_EXCEEDED
   */
  getManifest(reference: Reference, options?: AbortOptions): Promise<FetchedManifest>;
  /**
   * Opens a blob; interruptions are resumed and the bytes verified while they are read.
   * @throws {RegistryError} as resolve; the reader: ERR_RKT_REGISTRY_DIGEST_MISMATCH, _SIZE_MISMATCH, _TRUNCATED, ...
   */
  getBlob(repository: Repository, target: Descriptor, options?: OpenBlobOptions): Promise<BlobReader>;
  /**
   * The size of a blob that nothing states, in bytes: one HEAD request where the registry answers it. Whether it is right
   * is known when the blob has been read.
   * @throws {RegistryError} as resolve, and ERR_RKT_REGISTRY_LIMIT_EXCEEDED
   */
  getBlobSize(repository: Repository, digest: Digest, options?: AbortOptions): Promise<number>;
  /**
   * Writes a blob, unless the repository has it. It is sent in chunks, each of which is repeated when it does not arrive; a
   * registry that has it in `mountFrom` may take it from there.
   * @throws {RegistryError} as resolve, ERR_RKT_REGISTRY_DIGEST_MISMATCH and _SIZE_MISMATCH for other bytes than `target`
   * names, before the registry is told that the blob is complete; ERR_RKT_REGISTRY_PROTOCOL
   */
  putBlob(repository: Repository, target: Descriptor, options: PutBlobOptions): Promise<void>;
  /**
   * Writes a manifest whose blobs are there, by tag or by digest; resolves with its descriptor.
   * @throws {RegistryError} as resolve; TypeError for a digest that is not that of the bytes
   */
  putManifest(reference: Reference, manifest: PutManifestOptions): Promise<Descriptor>;
  /** The tags of a repository. At most 1000 pages are read. Text of the registry: quote it before printing. */
  listTags(repository: Repository, options?: ListTagsOptions): AsyncIterable<string>;
  /**
   * The manifests that refer to another: signatures, SBOMs. What a registry lists is its word alone: verify what is fetched
   * by these descriptors, and quote their texts before printing.
   */
  listReferrers(subject: Subject, options?: ListReferrersOptions): AsyncIterable<Descriptor>;
}

/** Sizes and counts that protect the client from a registry. */
export interface RegistryLimits {
  /**
   * A manifest or index, in bytes.
   * @default 4 MiB
   */
  readonly maxManifestBytes?: number;
  /**
   * What is read of an error answer, in bytes.
   * @default 64 KiB
   */
  readonly maxErrorBodyBytes?: number;
  /** @default 10 */
  readonly maxRedirects?: number;
}

export interface RegistryOptions {
  /** @default a transport of its own on undici, without a proxy */
  readonly transport?: Transport;
  /** @default anonymous */
  readonly keychain?: Keychain;
  /**
   * The hosts to ask for a domain, and where it matters for a repository, in order: mirrors and, where wanted, `defaultHost(domain)`. An empty list means the
   * default host. A mirror that fails in any way is passed over; tags are only asked of hosts that may `resolve`.
   */
  readonly hosts?: (
    domain: string,
    repository: Repository,
  ) => readonly RegistryHost[] | Promise<readonly RegistryHost[]>;
  /** Token servers, as `host[:port]`, that may receive credentials though nothing shows they belong to the registry. */
  readonly trustedRealms?: readonly string[];
  readonly retry?: RetryPolicy;
  readonly onRetry?: (event: RetryEvent) => void;
  readonly limits?: RegistryLimits;
  /** @default 'rkt' */
  readonly userAgent?: string;
}

/**
 * Creates a client. Nothing is read from the environment and nothing is sent until the first call.
 *
 * @example
 * await using registry = createRegistry();
 * const image = await imageSource(registry).open(parseReference('quay.io/zanui/nginx'));
 */
export function createRegistry(options: RegistryOptions = {}): Registry {
  const own = undiciTransport();
  const context = createContext(options, options.transport ?? own.send);
  return {
    resolve: (reference, o = {}) => guarded(() => resolve(context, reference, o)),
    getManifest: (reference, o = {}) => guarded(() => getManifest(context, reference, o)),
    getBlob: (repository, target, o = {}) => getBlob(context, repository, target, o),
    getBlobSize: (repository, digest, o = {}) => getBlobSize(context, repository, { digest, ...o }),
    putBlob: (repository, target, o) => guarded(() => putBlob(context, repository, target, o)),
    putManifest: (reference, o) => guarded(() => putManifest(context, reference, o)),
    listTags: (repository, o = {}) => listTags(context, repository, o),
    listReferrers: (subject, o = {}) => listReferrers(context, subject, o),
    [Symbol.asyncDispose]: () => own.close(),
  };
}

function createContext(options: RegistryOptions, given: Transport): ClientContext {
  const transport = noticingTls(given);
  const now = Date.now;
  const userAgent = options.userAgent ?? 'rkt';
  const retrying: Retrying = { policy: { ...DEFAULT_RETRY, ...options.retry }, onRetry: options.onRetry };
  const authenticator = createAuthenticator({
    keychain: options.keychain ?? anonymous,
    tokens: createTokenClient({ transport, userAgent, now }),
    trustedRealms: options.trustedRealms ?? [],
    now,
  });
  const session = createSession({
    transport,
    authenticator,
    retrying,
    maxRedirects: options.limits?.maxRedirects ?? 10,
    maxErrorBodyBytes: options.limits?.maxErrorBodyBytes ?? 65_536,
    userAgent,
    now,
  });
  return {
    session,
    retrying,
    hosts: options.hosts ?? (() => []),
    maxManifestBytes: options.limits?.maxManifestBytes ?? 4 << 20,
    corrupt: new Set(),
    overTls: new Set(),
  };
}

/** Programmer mistakes reject as everything else does. */
async function guarded<T>(work: () => Promise<T>): Promise<T> {
  return work();
}
