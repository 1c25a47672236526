// SPDX-License-Identifier: Apache-2.0
import type { FileTree, ImageId, ImageManifest, LayerRepository } from '@rkt/appc';

export interface AbortOptions {
  readonly signal?: AbortSignal;
}

/** Where an image came from by name: a canonical reference with platform, and what it pointed at when last asked. */
export interface RemoteRecord {
  /** Canonical, e.g. `docker://docker.io/library/redis:latest#linux/amd64`. */
  readonly name: string;
  readonly imageId: ImageId;
  /**
   * What was answered, to compare the next answer with: of a registry the digest the tag had (of the index, if it is one),
   * `sha256:...`; of other servers whatever the caller compares.
   */
  readonly digest: string;
  /** Milliseconds since the epoch. */
  readonly checkedAt: number;
}

export interface ImageRecord {
  readonly id: ImageId;
  /** The name it was put under last, e.g. `docker.io/library/redis:latest`. */
  readonly name: string;
  /**
   * Every name that leads here: of those it was put under, the ones no image with the same labels `os` and `arch` was put
   * under since. The latest last.
   */
  readonly names: readonly string[];
  /** The labels `os` and `arch` of its manifest; undefined unless it has both. */
  readonly platform: ImagePlatform | undefined;
  /** Milliseconds since the epoch. */
  readonly importedAt: number;
  readonly lastUsedAt: number;
  /** Bytes of the uncompressed ACI. */
  readonly size: number;
  /** DiffIDs, base first; with those of all dependencies. */
  readonly layers: readonly string[];
  /** Which of the layers are ACIs; all others are layers of OCI images. */
  readonly acis: readonly AciLayer[];
}

/** As appc names platforms: `{ os: 'linux', arch: 'aarch64' }`. */
export interface ImagePlatform {
  readonly os: string;
  readonly arch: string;
}

/**
 * A layer that is an ACI as it came: its files are those below `rootfs`. The path whitelist of its manifest holds for the
 * layers from `first`, the lowest of its dependencies, to itself.
 */
export interface AciLayer {
  readonly first: number;
  readonly position: number;
}

export interface StoredImage extends ImageRecord {
  readonly manifest: ImageManifest;
  /** The canonical bytes that are hashed into the ID. */
  readonly manifestBytes: Uint8Array;
}

export interface PutImageOptions extends AbortOptions {
  readonly id: ImageId;
  readonly name: string;
  /** Further names of the image, put in the same transaction; `name` counts as the last of them. @default none */
  readonly otherNames?: readonly string[];
  readonly manifestBytes: Uint8Array;
  /** DiffIDs, base first; every one must have been committed. */
  readonly layers: readonly string[];
  /** @default none */
  readonly acis?: readonly AciLayer[];
  readonly size: number;
  /** The configuration of the Docker or OCI image it was made from, to be kept as it is. At most 8 MiB. */
  readonly configBytes?: Uint8Array;
  /** Recorded in the same transaction. */
  readonly remote?: Omit<RemoteRecord, 'imageId'>;
}

/** An ACI that has been written to the file of an {@link AciIngest}, and everything known of it by then. */
export interface ReceivedAci extends AbortOptions {
  /** SHA-512 of the file. */
  readonly id: ImageId;
  /** SHA-256 of the file. */
  readonly diffId: string;
  /** Bytes of the file. */
  readonly size: number;
  /** The encoded index of the whole archive, which `splitAciIndex` has accepted. */
  readonly index: Uint8Array;
  /** What the archive has as its manifest. */
  readonly manifestBytes: Uint8Array;
}

/** An empty file of the store's, made exclusively, for work in progress. It goes when it is disposed of, or with its process. */
export interface TemporaryFile extends AsyncDisposable {
  readonly path: string;
}

/** Leave to write an ACI: its uncompressed bytes go into the file. Disposing removes what was not committed. */
export interface AciIngest extends TemporaryFile {
  /**
   * Makes the image durable and visible, under the name of its manifest. An image the store already has gains the name.
   * Throws DEPENDENCY_NOT_FOUND, AMBIGUOUS_PREFIX, LAYER_MISSING, DISK_FULL, PERMISSION; AppcError for another manifest.
   */
  commit(aci: ReceivedAci): Promise<ImageRecord>;
}

/** A layer of an image, as it is stored. */
export interface StoredLayer {
  readonly diffId: string;
  /** Bytes of the uncompressed tar. */
  readonly size: number;
  /** The tar. It stays for as long as a lease retains the image. */
  readonly path: string;
}

export type ImageQuery =
  /** `sha512-` and at least two hex digits. */
  | { readonly prefix: string }
  /** The image name without version, optionally with labels that must match. */
  | { readonly name: string; readonly labels?: Readonly<Record<string, string>> };

/** A mountable root filesystem. `@rkt/stage1` takes exactly this shape. */
export type Tree =
  | { readonly type: 'erofs'; readonly source: string; readonly devices: readonly string[] }
  | { readonly type: 'directory'; readonly path: string };

export type TreeBackend = Tree['type'];

/**
 * A hold on images: while a lease lives, gc and rm leave what it retains. Leases of a dead process are void (pid and
 * start time, checked by gc) unless they are bound to a pod directory that still exists.
 */
export interface Lease extends AsyncDisposable {
  readonly id: string;
  retain(image: ImageId): Promise<void>;
  /**
   * From now on the lease outlives the process, and its own disposal, for as long as this path exists (a pod directory).
   * Several, in the order a directory is renamed along, when it does not stay where it is.
   */
  bind(paths: string | readonly string[], options?: BindOptions): Promise<void>;
}
export interface BindOptions {
  /** Whether what it is bound to is of any use after a power cut. @default true */
  readonly durable?: boolean;
}

/** What a pod made of an image. */
export interface ExportChangedOptions extends AbortOptions {
  /** Of the ACI, byte for byte. */
  readonly manifestBytes: Uint8Array;
  /** The upper directory of an overlay over the tree of the image. Nobody may write to it meanwhile. */
  readonly upperDir: string;
  /** Whom of the host the pod's users were; owners are told as the pod had them. @default the very same */
  readonly users?: UserRange | undefined;
}

/** Users that a pod had to itself: its 0 to `count` - 1 are the host's from `first` on. */
export interface UserRange {
  readonly first: number;
  readonly count: number;
}

export interface RemovedItem {
  readonly kind: 'image' | 'layer' | 'tree' | 'temporary';
  readonly id: string;
  /** Bytes freed. */
  readonly size: number;
}
export interface RemovalOptions {
  /** Called for each thing when it is gone, so that all of it is known also when the rest fails. Must not throw. */
  readonly onRemoved?: (item: RemovedItem) => void;
}

export interface GcOptions extends AbortOptions, RemovalOptions {
  /** Images used within this time stay. @default 24 h */
  readonly graceMs?: number;
  /**
   * What layers and trees may take together. Beyond it, layers nothing uses are removed, whatever the grace time, then images
   * until it is kept, those used longest ago first, as long as no lease retains them. Bytes.
   */
  readonly maxBytes?: number;
  readonly dryRun?: boolean;
}

export type Finding =
  | { readonly kind: 'image-ok'; readonly id: ImageId }
  | {
      readonly kind: 'layer-corrupt' | 'layer-missing';
      readonly id: ImageId;
      readonly diffId: string;
      /** The diffID of what is there instead; absent when nothing can be read. */
      readonly actual?: string;
    }
  | { readonly kind: 'image-corrupt'; readonly id: ImageId; readonly actual: string }
  | { readonly kind: 'tree-rebuilt'; readonly id: ImageId };

/**
 * The content store. Safe with any number of processes; whatever a promise resolved for is durable, but for times of use and
 * leases that end with the process. After a power cut, a layer that no image has yet is read once before it is used again, or
 * collected as garbage.
 */
export interface Store extends LayerRepository, AsyncDisposable {
  readonly dir: string;
  putImage(options: PutImageOptions): Promise<ImageRecord>;
  /** A file beside the layers, for what has to be unpacked before it can be read. */
  temporaryFile(): Promise<TemporaryFile>;
  /** For an ACI as it comes, whose ID and digest are known only once it has been read. */
  ingestAci(): Promise<AciIngest>;
  getImage(id: ImageId): Promise<StoredImage>;
  /** The configuration the image was put with, if it was, verified. Throws IMAGE_NOT_FOUND, CORRUPT. */
  getConfig(id: ImageId): Promise<Uint8Array | undefined>;
  /** Base first. Throws IMAGE_NOT_FOUND. */
  listLayers(id: ImageId): Promise<readonly StoredLayer[]>;
  /** Throws IMAGE_NOT_FOUND, AMBIGUOUS_PREFIX, PREFIX_TOO_SHORT. By name: the one put under it last. */
  resolveImage(query: ImageQuery): Promise<ImageRecord>;
  listImages(): Promise<readonly ImageRecord[]>;
  /** Removes the record and every layer and tree nothing else uses. Throws IMAGE_IN_USE while leased. */
  removeImage(id: ImageId, options?: RemovalOptions): Promise<readonly RemovedItem[]>;
  touchImage(id: ImageId): Promise<void>;
  getRemote(name: string): Promise<RemoteRecord | undefined>;
  putRemote(remote: RemoteRecord): Promise<void>;
  lease(): Promise<Lease>;
  /** The merged tree of a stored image, from its layer indexes. */
  loadTree(id: ImageId): Promise<FileTree>;
  /** Writes the EROFS metadata or extracts the directory unless it is there; the lease must retain the image. */
  renderTree(
    id: ImageId,
    options: AbortOptions & { readonly backend: TreeBackend; readonly lease: Lease },
  ): Promise<Tree>;
  /** The uncompressed ACI, byte for byte what the ID is the SHA-512 of. Throws CORRUPT before the last bytes otherwise. */
  exportImage(id: ImageId, options?: AbortOptions): AsyncIterable<Uint8Array>;
  /**
   * The uncompressed ACI of an image with what a pod changed of it: its tree below an overlay's upper directory, as the overlay
   * showed it. Equal changes give equal bytes. What cannot be in an archive, sockets, is left out; the layers are known to be
   * what was stored, and all of it to be what fetching takes, before the first byte comes. Throws TREE_UNSUPPORTED where fetching
   * would not take it, CORRUPT, IO.
   */
  exportChanged(id: ImageId, options: ExportChangedOptions): AsyncIterable<Uint8Array>;
  /**
   * The tar of a layer that is in the store, in chunks of up to 1 MiB, which stay the caller's. Throws CORRUPT before the last
   * of them when they are not what the diffID says. It stays for as long as a lease retains an image that has it.
   */
  readLayer(diffId: string, options?: AbortOptions): AsyncIterable<Uint8Array>;
  /**
   * Extracts the tree into a directory that is made here, its parent being there, once all layers are known to be what was
   * stored: throws CORRUPT before otherwise. Leaves nothing behind on failure.
   */
  extractImage(id: ImageId, options: AbortOptions & { readonly targetDir: string }): Promise<void>;
  /** Re-derives everything from the layer tars; rebuilds a damaged tree. */
  verify(options?: AbortOptions & { readonly ids?: readonly ImageId[] }): AsyncIterable<Finding>;
  gc(options?: GcOptions): Promise<readonly RemovedItem[]>;
}
