// SPDX-License-Identifier: Apache-2.0
export {
  type AciBuilder,
  type AciBuilderOptions,
  type AciForesight,
  aciSegments,
  createAciBuilder,
  type ForeseenLayer,
  type LayeredTree,
} from './archive/aci-builder.ts';
export { type LayerAcis, layerAcis } from './archive/layer-acis.ts';
export { aciLayerLimits, type SplitAci, splitAciIndex } from './archive/read-aci.ts';
export type { AciSegment } from './archive/segment.ts';
export { type StackableLayer, type StackedAci, stackAcis } from './archive/stack-acis.ts';
export { type TarFile, tarEnd, tarFile } from './archive/tar-file.ts';
export {
  type DiscoverableImage,
  discoveryNames,
  type ImageLocation,
  imageLocations,
  publicKeyLocations,
} from './discovery/discover.ts';
export { type DiscoveryTag, parseDiscoveryTags } from './discovery/discovery-tags.ts';
export { AppcError, type AppcErrorCode, type AppcErrorContext, isAppcError, quoteUntrusted } from './errors.ts';
export { isAcIdentifier, isAcName, sanitizeAcIdentifier, sanitizeAcName } from './schema/ac-name.ts';
export { acVersion } from './schema/ac-version.ts';
export { type ImageIdForm, isImageId, isImageIdPrefix, parseImageId, shortImageId } from './schema/image-id.ts';
export type {
  App,
  Dependency,
  EventHandler,
  ImageId,
  ImageManifest,
  Isolator,
  MountPoint,
  NameValue,
  Port,
} from './schema/image-manifest.ts';
export type { CapabilitySetValue, ResourceValue, SeccompSetValue } from './schema/isolators.ts';
export { parseImageManifest, serializeImageManifest } from './schema/parse-image-manifest.ts';
export { parsePodManifest, serializePodManifest } from './schema/parse-pod-manifest.ts';
export { type AppcPlatform, fromAppcPlatform, type OciPlatform, toAppcPlatform } from './schema/platform.ts';
export type { ExposedPort, Mount, PodManifest, RuntimeApp, RuntimeImage, Volume } from './schema/pod-manifest.ts';
export type { ByteString } from './tree/byte-string.ts';
export type {
  DeviceNode,
  DirectoryNode,
  FifoNode,
  FileNode,
  FileTree,
  NodeBase,
  Origin,
  SymlinkNode,
  TreeLayer,
  TreeNode,
} from './tree/file-tree.ts';
export type {
  DeviceEntry,
  DirectoryEntry,
  EntryAttributes,
  EntryBase,
  Extent,
  FifoEntry,
  FileEntry,
  HardlinkEntry,
  LayerEntries,
  LayerEntry,
  LayerIndex,
  SymlinkEntry,
} from './tree/layer-index.ts';
export {
  createLayerIndexEncoder,
  decodeLayerIndex,
  encodeLayerIndex,
  type LayerIndexEncoder,
  streamLayerIndex,
} from './tree/layer-index-codec.ts';
export { createLayerIndexer, type LayerIndexer } from './tree/layer-indexer.ts';
export { defaultLayerLimits, type LayerLimits, maxEntrySeconds, maxTarBytes } from './tree/layer-limits.ts';
export type { IndexedLayer } from './tree/layer-merger.ts';
export type { LayerIngest, LayerRepository, PrepareLayerOptions, PresentLayer } from './tree/layer-repository.ts';
export { mergeLayers } from './tree/merge.ts';
export { overlayTree, type UpperDirectory, type UpperNode, type WhiteoutNode } from './tree/overlay-tree.ts';
export { type ShowsPath, whitelistedPaths } from './tree/path-whitelist.ts';
