// SPDX-License-Identifier: Apache-2.0
import type { DownloadEvent } from './download-event.ts';

/** Web servers as fetching ACIs needs them: pages, keys, signatures and images. */
export interface Downloads extends AsyncDisposable {
  /**
   * The whole of something small.
   * @throws {CliError} ERR_RKT_CLI_DOWNLOAD for any status but 200 and 202, and for what is too large
   * @throws {RegistryError} for a server that cannot be reached, or redirects to where it must not
   */
  getDocument(url: URL, options: DocumentOptions): Promise<DocumentAnswer>;
  /**
   * A file of any size, through interruptions: what came of it stays when it fails, and is the beginning of the next try.
   * @throws as getDocument
   */
  getFile(url: URL, options: FileOptions): Promise<FileAnswer>;
}

export interface DownloadOptions {
  readonly signal: AbortSignal;
  /** Plain HTTP is allowed to every host. Loopback needs no leave. */
  readonly allowHttp: boolean;
  /** What allows plain HTTP, for the message that it is not allowed. */
  readonly httpFlag: string;
}

export interface DocumentOptions extends DownloadOptions {
  readonly maxBytes: number;
  /** What is larger is cut off, rather than refused. */
  readonly cut?: true;
  /** Tries in all, where the same may succeed later. @default 5 */
  readonly attempts?: number;
}

export interface DocumentAnswer {
  /** 202: it is not there yet. */
  readonly status: 200 | 202;
  readonly bytes: Uint8Array;
}

export interface FileOptions extends DownloadOptions {
  /** The entity tag of what is here already: the file is wanted only if it has another one. */
  readonly etag: string | undefined;
  readonly onProgress: (event: DownloadEvent) => void;
}

/** What a server says about how long its answer holds. */
export interface CacheState {
  /** The entity tag, which a later request may be made conditional on. */
  readonly etag: string | undefined;
  /** Seconds in which nobody needs to ask again. */
  readonly maxAge: number;
}

export type FileAnswer =
  | { readonly kind: 'unchanged'; readonly cache: CacheState }
  | ({ readonly kind: 'file'; readonly cache: CacheState } & DownloadedFile);

/** A file that is whole. It goes when it is disposed of. */
export interface DownloadedFile extends AsyncDisposable {
  readonly path: string;
}
