// SPDX-License-Identifier: Apache-2.0
export type { AciSegment } from './archive/segment.ts';
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
export type { ExposedPort, Mount, PodManifest, RuntimeApp, RuntimeImage, Volume } from './schema/pod-manifest.ts';
export type { ByteString } from './tree/byte-string.ts';
export type {
  DeviceNode,
  DirectoryNode,
  FifoNode,
  FileNode,
  FileTree,
  Origin,
  SymlinkNode,
  TreeLayer,
  TreeNode,
} from './tree/file-tree.ts';
export type {
  DeviceEntry,
  DirectoryEntry,
  EntryAttributes,
  Extent,
  FifoEntry,
  FileEntry,
  HardlinkEntry,
  LayerEntry,
  LayerIndex,
  SymlinkEntry,
} from './tree/layer-index.ts';
export type { LayerIngest, LayerRepository, PrepareLayerOptions, PresentLayer } from './tree/layer-repository.ts';
