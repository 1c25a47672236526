// SPDX-License-Identifier: Apache-2.0

export { type ArchiveFile, tarOf } from './archive/archive-file.ts';
export { type ChosenImage, chooseImage } from './archive/choose-image.ts';
export { openDockerArchive } from './archive/docker-archive.ts';
export { dockerArchiveFiles } from './archive/docker-archive-files.ts';
export type { ExportedImage, ExportedLayer } from './archive/exported-image.ts';
export type { ArchivedImage, ImageArchive, OpenArchivedOptions, OpenArchiveOptions } from './archive/image-archive.ts';
export { type ImageFileForm, imageFileForm } from './archive/image-file-form.ts';
export { openOciArchive, openOciLayout } from './archive/oci-layout.ts';
export { type OciLayoutOptions, ociLayoutFiles } from './archive/oci-layout-files.ts';
export { openImageFile } from './archive/open-image-file.ts';
export { type OpenRootfsOptions, openRootfs } from './archive/open-rootfs.ts';
export { type ReceiveAciOptions, type ReceivedAci, receiveAci } from './archive/receive-aci.ts';
export { isReadableInPlace, type UnpackArchiveOptions, unpackArchive } from './archive/unpack-archive.ts';
export { type AciCompression, compressAci } from './compress-aci.ts';
export { type ConvertedImage, type ConvertImageOptions, type ConvertibleImage, convertImage } from './convert-image.ts';
export { convertLayers, type LayerAci } from './convert-layers.ts';
export { type ConvertToAciOptions, type ConvertWithFilesOptions, convertToAci } from './convert-to-aci.ts';
export { ConversionError, type ConversionErrorCode, type ConversionErrorContext, isConversionError } from './errors.ts';
export { exposeCollector } from './layers/collector.ts';
export { type DiffIdOptions, diffIdOf } from './layers/diff-id-of.ts';
export { createSpareWorker, type SpareWorker } from './layers/spare-worker.ts';
export type { StartWorker } from './layers/start-worker.ts';
export { type ConversionLimits, defaultConversionLimits } from './limits.ts';
export { type ManifestContext, toAciManifest } from './manifest/aci-manifest.ts';
export { type ImageOrigin, imageOrigin } from './manifest/image-origin.ts';
export type { ConversionEvent, OnConversionProgress } from './progress.ts';
export { directoryRepository } from './repository/directory-repository.ts';
